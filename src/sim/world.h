#pragma once

// A group of peers in virtual time: real Members, Dispatchers and Workers on a model network and
// the store's model of the database, all driven from one queue of events and one seed. The same
// world plays the transcripts of tests/group (nothing random) and the simulations of tests/sim
// (faults drawn from the seed).

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "group/dispatcher.h"
#include "group/member.h"
#include "group/worker.h"
#include "sim/database.h"
#include "sim/mutant.h"
#include "sim/random.h"
#include "store/store.h"

namespace turnout::sim {

using base::Tick;
using group::Message;

struct WorldConfig {
  std::uint64_t seed = 1;
  Duration cycle = std::chrono::seconds(1);
  int miss_limit = 4;
  int claim_counter = 2;
  std::vector<std::string> peers;
  int tracks = 1;
  int contacts = 0;  // there at the beginning, on every track
  group::Slots slots{2, 1};
  Duration latency = std::chrono::milliseconds(1);           // of a message, one way
  Duration jitter{};                                         // added to it, evenly distributed
  Duration database_latency = std::chrono::milliseconds(2);  // to the database and back
  Duration block_time = std::chrono::milliseconds(20);       // reading and deciding
  // False: peers keep the group and do nothing else: no blocks, no look at the tracks they own.
  // What comes to one at the same time, it takes in before it answers. (For large groups.)
  bool work = true;
  std::int64_t drift_ppm = 0;  // clocks run up to so many parts per million fast or slow
  Planted planted;
};

// What the network does to messages now; chances in a thousand.
struct NetworkFaults {
  int loss = 0;
  int duplication = 0;
  int reordering = 0;
};

// Two peers have one of each; each keeps its order.
enum class Connection { kAdvertisements, kBlocks };

class World;

// One peer process and its machine's clock.
class Host {
 public:
  // `number`: of its own, from 0.
  Host(World& world, PeerName name, std::size_t number);

  void start();
  void kill();
  void pause();
  void resume();
  void leave();
  // Somebody says that a contact has changed: the feed is looked at sooner.
  void hint();
  // Runs an input now, or when the process goes on if it is paused. Dropped if it has ended.
  template <class Action>
  void input(Action action);
  void deliver(const PeerName& from, const std::shared_ptr<const Message>& message);
  // Deliveries that a master has handed to this peer.
  void take_handout(const std::vector<store::OutboxKey>& keys, Epoch master);

  bool alive() const { return member_ != nullptr; }
  bool paused() const { return paused_; }
  bool working() const { return alive() && !paused_; }
  const PeerName& name() const { return self_.name; }
  std::size_t number() const { return number_; }
  Incarnation incarnation() const { return self_.incarnation; }
  std::uint64_t life() const { return life_; }
  group::Member& member() { return *member_; }
  const group::Member& member() const { return *member_; }
  const group::Dispatcher& dispatcher() const { return *dispatcher_; }
  const group::Worker& worker() const { return *worker_; }
  Tick clock() const;
  // Whether the database answers this process.
  bool database_up = true;
  // Whether anything gets from this machine to another or back.
  bool network_up = true;
  // When this process raised its stamp in the database (world time), the last times.
  std::deque<Tick> stamped_at;

 private:
  friend class World;

  struct Owned {
    store::Fence fence;
    bool reading = false;  // a look at the timers is under way
    bool more = false;     // and another is wanted
    bool ceding = false;
    bool following = false;                 // a reading of the feed is under way
    std::optional<store::FeedCursor> feed;  // all that was read before it is dealt with
    bool feed_moved = false;                // since it was last noted in the database
  };
  // A batch of the feed that is being dealt with.
  struct Batch {
    std::vector<ContactId> newcomers;  // in the order they came
    std::vector<ContactId> contacts;   // who came or changed, ascending
    store::FeedCursor next;
    bool more = false;
  };
  // A block being worked on.
  struct Work {
    track::ContactBlock before;
    track::BlockOutcome after;
  };

  void pump();
  void pump_soon();
  void schedule_wake();
  void obey(const group::Notice& notice);
  void obey(const group::TrackGained& gained);
  void obey(const group::TrackCeding& ceding);
  void obey(const group::PeerChanged& changed);
  void end_after(Duration wait);
  void send(const group::Send& send);
  void hear(const Message& message, const PeerName& from);
  void start_requests(const group::Ready& ready);
  void start_stamps(const group::Ready& ready);
  void start_witnesses(const group::Ready& ready);
  void share_load();
  void finish(const group::Finished& finished);
  void poll();
  void look(TrackId track);
  void offer_due(const Owned& owned, Instant cut_at, const std::vector<store::DueItem>& due);
  void follow(TrackId track);
  void read_cursor(TrackId track);
  void read_changes(TrackId track);
  void gather(TrackId track, const std::shared_ptr<const Batch>& batch);
  void find_waiting(TrackId track, const std::shared_ptr<const Batch>& batch);
  void wake(TrackId track, const std::shared_ptr<const Batch>& batch,
            std::vector<store::Wake> wakes);
  void offer_woken(TrackId track, const std::vector<store::Wake>& woken);
  void pass(Owned& owned, const Batch& batch);
  void note_feed(TrackId track);
  void begin(const group::Job& job);
  void commit(const group::Job& job, const std::shared_ptr<Work>& work);
  void report(const group::Job& job, const Work& work, const store::CommitResult& result,
              Tick began);
  void give_back(const group::Job& job, group::BlockOutcome outcome);
  void refuse(const group::Job& job);
  // Reads who has the track, after a write for it was refused; `then` gets no row if the database
  // does not answer.
  void learn_row(TrackId track, std::function<void(const std::optional<LedgerRow>&)> then);
  void read_outbox();
  void hand_out(const std::vector<store::OutboxDue>& due);
  void send_out(const store::Delivery& delivery, Tick deadline);
  void note(const store::DeliveryResult& result, int tries);
  // Sends a request to the database: `run()` there, then `done(answered)` here. The same for work,
  // which tells the Member whether the database answers; and for a track: `run(fence)` there, then
  // `done(owned, answered)` here if it still is owned under that fence.
  template <class Run, class Done>
  void ask(Run run, Done done);
  template <class Run, class Done>
  void ask_for_work(Run run, Done done);
  template <class Run, class Done>
  void ask_for_track(TrackId track, Run run, Done done);

  World& world_;
  const std::size_t number_;
  store::PeerId self_;
  std::uint64_t life_ = 0;  // of the process; answers for an earlier one are dropped
  std::shared_ptr<store::GroupSession> life_lock_;  // of this life of the process
  // Requests may be carried out after the process that made them has ended.
  std::unique_ptr<store::GroupSession> group_session_;
  std::unique_ptr<store::Session> session_;
  std::unique_ptr<group::Member> member_;
  std::unique_ptr<group::Dispatcher> dispatcher_;
  std::unique_ptr<group::Worker> worker_;
  bool paused_ = false;
  bool pumping_ = false;
  bool pumps_soon_ = false;
  std::deque<std::function<void()>> inbox_;  // while paused
  std::optional<Tick> wake_;                 // world time
  std::int64_t clock_offset_us_ = 0;
  std::int64_t clock_ppm_ = 0;
  Tick next_poll_;  // own clock
  std::map<TrackId, Owned> owned_;
  std::optional<Fence> master_;
  bool reading_outbox_ = false;
  std::map<PeerName, Incarnation> lives_;  // of the others, as known
  std::vector<store::PeerId> ended_;       // whose deliveries are uncertain now
};

// Sees what peers do.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_notice(const Host& host, const group::Notice& notice) {
    (void)host, (void)notice;
  }
  virtual void on_send(const Host& host, const PeerName& to, const Message& message) {
    (void)host, (void)to, (void)message;
  }
  virtual void on_jobs(const Host& host) { (void)host; }
  // A master hands out deliveries.
  virtual void on_hand_out(const Host& host, const Fence& master) { (void)host, (void)master; }
  // A message goes out to the world; whether its receiver has taken it.
  virtual void on_delivered(const store::OutboxKey& key, bool taken) { (void)key, (void)taken; }
  // What its Member wants of the database, if anything.
  virtual void on_requests(const Host& host, const group::Ready& ready) { (void)host, (void)ready; }
  virtual void on_ask(const Host& host, const std::string& what) { (void)host, (void)what; }
  virtual void on_fault(const std::string& what) { (void)what; }
  // After every event.
  virtual void on_step() {}
};

class World {
 public:
  explicit World(const WorldConfig& config);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  void observe(Observer* observer) { observers_.push_back(observer); }
  void watch(store::model::Watcher* watcher) { database_.watch(watcher); }

  Tick now() const { return now_; }
  Instant instant() const { return {now_.us}; }
  void at(Tick when, std::function<void()> action);
  void after(Duration wait, std::function<void()> action) { at(now_ + wait, std::move(action)); }
  // Runs everything up to `until`, or until a checker has failed.
  void run_until(Tick until);
  void run_for(Duration time) { run_until(now_ + time); }

  Host& host(const PeerName& name) { return *hosts_.at(name); }
  Host& host(const std::string& name) { return host(PeerName(name)); }
  const std::map<PeerName, std::unique_ptr<Host>>& hosts() const { return hosts_; }
  Database& database() { return database_; }
  const WorldConfig& config() const { return config_; }
  Random& random() { return random_; }

  // Faults.
  NetworkFaults network;
  Duration extra_latency{};
  Duration extra_database_latency{};
  int answers_lost = 0;  // by the database, after the statement took effect; in a thousand
  void cut(const PeerName& from, const PeerName& to) { cuts_.insert({from, to}); }
  void heal() { cuts_.clear(); }
  bool is_cut(const PeerName& from, const PeerName& to) const {
    return !cuts_.empty() && cuts_.contains({from, to});
  }

  // A checker found a guarantee broken. The first one is kept; the world stops.
  void fail(const std::string& what);
  const std::optional<std::string>& failure() const { return failure_; }

  // Used by hosts. `arrive` is called, once or twice or not at all, when the message has come.
  void transmit(const Host& from, const PeerName& to, Connection connection,
                std::function<void(Host& to)> arrive);
  // The same for all others that live, in the order of their names.
  void broadcast(const Host& from, Connection connection,
                 const std::shared_ptr<const Message>& message);
  void connections_end(const Host& of);
  // A connection is reset while both processes live, and made anew.
  void reset_connection(const PeerName& a, const PeerName& b);
  const std::vector<Observer*>& observers() const { return observers_; }

 private:
  // What is to be done stands apart, so that the heap moves nothing but numbers.
  struct Event {
    Tick at;
    std::uint64_t order = 0;
    std::size_t action = 0;  // index into actions_
  };
  // For a heap with the first event on top.
  static bool is_later(const Event& a, const Event& b) {
    return a.at == b.at ? a.order > b.order : a.at > b.at;
  }

  // Calls `each(arrival)` for each copy of a message that the network does not lose.
  template <class Each>
  void draw_arrivals(const Host& from, const Host& to, Connection connection, Each each);
  void step();
  // Whether nothing gets from the one to the other.
  bool apart(const Host& from, const Host& to) const {
    return !from.network_up || !to.network_up || is_cut(from.name(), to.name());
  }

  // Each host may do so much without time passing.
  static constexpr std::size_t kMaxEventsAtOnce = 10'000;

  WorldConfig config_;
  Random random_;
  Tick now_{};
  std::size_t events_now_ = 0;
  std::uint64_t order_ = 0;
  std::vector<Event> queue_;  // a heap
  std::vector<std::function<void()>> actions_;
  std::vector<std::size_t> free_actions_;
  Database database_;
  std::map<PeerName, std::unique_ptr<Host>> hosts_;
  std::set<std::pair<PeerName, PeerName>> cuts_;
  std::vector<Tick> last_arrival_;  // per sender, receiver and connection
  std::vector<Observer*> observers_;
  std::optional<std::string> failure_;
};

}  // namespace turnout::sim
