#pragma once

// A group of peers in virtual time: real Members, Dispatchers and Workers on a model network and
// the store's model of the database, all driven from one queue of events and one seed. The same
// world plays the transcripts of tests/group (nothing random) and the simulations of tests/sim
// (faults drawn from the seed).

#include <algorithm>
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
#include "sim/action.h"
#include "sim/database.h"
#include "sim/mutant.h"
#include "sim/random.h"
#include "store/store.h"
#include "work/cutter.h"

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
  int change_every = 20;  // contacts change so often on average; in twentieths of a cycle
  Duration latency = std::chrono::milliseconds(1);           // of a message, one way
  Duration jitter{};                                         // added to it, evenly distributed
  Duration database_latency = std::chrono::milliseconds(2);  // to the database and back
  Duration block_time = std::chrono::milliseconds(20);       // reading and deciding
  Duration cut_time{};           // reading what is due may take so much longer
  int cut_size = work::kMaxCut;  // contacts read at once, at most
  // False: peers keep the group and do nothing else: no blocks, no look at the tracks they own.
  // What comes to one at the same time, it takes in before it answers. (For large groups.)
  bool work = true;
  std::int64_t drift_ppm = 0;  // clocks run up to so many parts per million fast or slow
  Planted planted;

  // The cycle of the slowest member by the world's clock: what is promised in cycles is meant in
  // these.
  Duration slowest_cycle() const { return cycle * 1'000'000 / (1'000'000 - drift_ppm); }
  Duration fastest_cycle() const { return cycle * 1'000'000 / (1'000'000 + drift_ppm); }
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
  template <class What>
  void input(What what);
  void deliver(const Host& from, const std::shared_ptr<const Message>& message);
  // Its timers were late, and are not any more.
  void end_lateness();
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
  // What it has asked the database for so far.
  struct Queries {
    std::int64_t stamps = 0;  // its own
    std::int64_t others = 0;  // readings of stamps, life locks and the ledger
    std::int64_t due = 0;     // timers
    std::int64_t feed = 0;    // changes
  };
  Queries queries;
  // When this process raised its stamp in the database (world time), the last times.
  std::deque<Tick> stamped_at;

 private:
  friend class World;

  struct Owned {
    std::uint64_t gained = 0;  // tells this owning of the track from others under the same fence
    store::Fence fence;
    bool reading_book = false;           // to know the track's version, before anything else
    std::optional<work::Cutter> cutter;  // since the work on it has begun
    bool ceding = false;
    bool following = false;                 // a reading of the feed is under way
    std::optional<store::FeedCursor> feed;  // all that was read before it is dealt with
    bool feed_moved = false;                // since it was last noted in the database
  };
  struct FeedRead {
    store::FeedBatch feed;
    std::vector<ContactId> everybody;  // where the place in the feed is lost
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
    std::optional<Book> book;  // read anew, since the block is of another version
  };

  void pump();
  void pump_soon();
  void schedule_wake();
  void obey(const group::Notice& notice);
  void obey(const group::TrackGained& gained);
  void begin_owned(TrackId track);
  void take_catalogue(std::int64_t version);
  void refresh_book();
  void take_book(const Book& book, std::uint64_t number);
  // The version of the track in this peer's copy; 0 if there is none.
  base::Version version_of(TrackId track) const;
  void obey(const group::TrackCeding& ceding);
  void obey(const group::PeerChanged& changed);
  void end_after(Duration wait);
  void send(group::Send&& send);
  void hear_from(const PeerName& from, const Message& message);
  void hear(const Message& message, const PeerName& from);
  bool has_ready() const;
  bool pump_blocks();
  void carry_out(group::Ready ready);
  void start_requests(const group::Ready& ready);
  void start_stamps(const group::Ready& ready);
  void start_witnesses(const group::Ready& ready);
  void share_load();
  void finish(const group::Finished& finished);
  void poll();
  bool cut_where_wanted();
  void cut(const Owned& owned, const work::Cutter::Request& request);
  void take_cut(Owned& owned, const work::Cut& cut);
  void follow(TrackId track);
  void read_cursor(TrackId track);
  bool may_follow(const Owned& owned) const;
  void follow_all();
  // Of tracks that stand at the same place.
  void read_changes(const std::vector<TrackId>& tracks, const store::FeedCursor& from);
  void take_changes(Owned& owned, const FeedRead& read, bool answered);
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
  void hand_out(const std::vector<store::OutboxDue>& due, Fence master);
  void send_out(const store::Delivery& delivery, Tick deadline);
  void note(const store::DeliveryResult& result, int tries);
  // Sends a request to the database: `run()` there, after `longer` than usual, then
  // `done(answered)` here. The same for what the Member wants; for work, which tells the Member
  // whether the database answers; and for a track: `run(fence)` there, then `done(owned, answered)`
  // here if it still is owned under that fence.
  template <class Run, class Done>
  void ask(Run run, Done done, Duration longer = {});
  template <class Run, class Done>
  void ask_as_control(Run run, Done done);
  template <class Run, class Done>
  void ask_for_work(Run run, Done done, Duration longer = {});
  template <class Run, class Done>
  void ask_for_track(TrackId track, Run run, Done done, Duration longer = {});

  World& world_;
  const std::size_t number_;
  store::PeerId self_;
  std::uint64_t life_ = 0;  // of the process; answers for an earlier one are dropped
  std::shared_ptr<store::GroupSession> life_lock_;  // of this life of the process
  // Requests may be carried out after the process that made them has ended.
  std::unique_ptr<store::GroupSession> group_session_;
  int control_broken_ = 0;  // World::sessions_broken() when the process last asked by it
  std::unique_ptr<store::Session> session_;
  std::unique_ptr<group::Member> member_;
  std::unique_ptr<group::Dispatcher> dispatcher_;
  std::unique_ptr<group::Worker> worker_;
  bool paused_ = false;
  bool pumping_ = false;
  bool pumps_soon_ = false;
  std::deque<Action> inbox_;  // while paused
  std::optional<Tick> wake_;  // world time
  Tick late_until_;           // its timers do not go off before; world time
  std::int64_t clock_offset_us_ = 0;
  std::int64_t clock_ppm_ = 0;
  Tick next_poll_;  // own clock
  Tick pumped_at_;
  std::map<TrackId, Owned> owned_;
  std::uint64_t times_gained_ = 0;
  Book book_;                     // this peer's copy of the tracks
  std::uint64_t book_asked_ = 0;  // readings of it so far
  std::uint64_t book_taken_ = 0;  // of which that one is here
  std::int64_t catalogue_seen_ = 0;
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
  // It has taken blocks in.
  virtual void on_jobs(const Host& host) { (void)host; }
  // A master hands out deliveries.
  virtual void on_hand_out(const Host& host, const Fence& master) { (void)host, (void)master; }
  // A message goes out to the world; whether its receiver has taken it.
  virtual void on_delivered(const store::OutboxKey& key, bool taken) { (void)key, (void)taken; }
  // What its Member wants of the database, if anything.
  virtual void on_requests(const Host& host, const group::Ready& ready) { (void)host, (void)ready; }
  virtual void on_ask(const Host& host, const std::string& what) { (void)host, (void)what; }
  virtual void on_fault(const std::string& what) { (void)what; }
};

class World {
 public:
  explicit World(const WorldConfig& config);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  void observe(Observer* observer) { observers_.push_back(observer); }
  void watch(store::model::Watcher* watcher) { database_.watch(watcher); }

  Tick now() const { return now_; }
  // What the database's clock shows; and when it shows that, unless it is set again.
  Instant instant() const { return {kDatabaseEpoch.us + now_.us + database_offset.count()}; }
  Tick tick_of(Instant at) const { return {at.us - kDatabaseEpoch.us - database_offset.count()}; }
  void at(Tick when, Action action);
  void after(Duration wait, Action action) { at(now_ + wait, std::move(action)); }
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
  Duration extra_cut_time{};
  Duration database_offset{};  // by which its clock has been set forward
  // The sessions of all peers with it end: what they have asked for is not done any more, and what
  // is done is not answered.
  void break_sessions() { ++sessions_broken_; }
  int sessions_broken() const { return sessions_broken_; }
  int late_timers = 0;   // wakes of hosts that are followed by a late one; in a thousand
  Duration late_by{};    // at most
  int answers_lost = 0;  // by the database, after the statement took effect; in a thousand
  // Cuts add up: a way is open again when it has been mended as often as it was cut.
  void cut(const Host& from, const Host& to) { ++cuts_[way(from, to)]; }
  void mend(const Host& from, const Host& to);
  void heal() { std::fill(cuts_.begin(), cuts_.end(), 0); }  // all
  bool is_cut(const Host& from, const Host& to) const { return cuts_[way(from, to)] > 0; }

  // A checker found a guarantee broken. The first one is kept; the world stops.
  void fail(const std::string& what);
  const std::optional<std::string>& failure() const { return failure_; }

  // Used by hosts. `arrive(to)` is called, once or twice or not at all, when the message has come.
  template <class Arrive>
  void transmit(const Host& from, Host& to, Connection connection, Arrive arrive);
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
  // Whether nothing gets from the one to the other.
  bool apart(const Host& from, const Host& to) const {
    return !from.network_up || !to.network_up || is_cut(from, to);
  }
  std::size_t way(const Host& from, const Host& to) const {
    return from.number() * hosts_.size() + to.number();
  }
  // When a message sent now arrives.
  Tick arrival(const Host& from, const Host& to, Connection connection);

  static constexpr Instant kDatabaseEpoch{1'000'000 * base::kUsPerSecond};
  // Each host may do so much without time passing.
  static constexpr std::size_t kMaxEventsAtOnce = 10'000;

  WorldConfig config_;
  Random random_;
  Tick now_{};
  std::size_t events_now_ = 0;
  int sessions_broken_ = 0;
  std::uint64_t order_ = 0;
  std::vector<Event> queue_;    // a heap
  std::deque<Action> actions_;  // which stay where they are while they run
  std::vector<std::size_t> free_actions_;
  Database database_;
  std::map<PeerName, std::unique_ptr<Host>> hosts_;
  std::vector<int> cuts_;           // per sender and receiver
  std::vector<Tick> last_arrival_;  // per sender, receiver and connection
  std::vector<Observer*> observers_;
  std::optional<std::string> failure_;
};

template <class Each>
void World::draw_arrivals(const Host& from, const Host& to, Connection connection, Each each) {
  if (!to.alive() || apart(from, to) || random_.chance(network.loss)) {
    return;
  }
  const int copies = random_.chance(network.duplication) ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    each(arrival(from, to, connection));
  }
}

template <class Arrive>
void World::transmit(const Host& from, Host& to, Connection connection, Arrive arrive) {
  draw_arrivals(from, to, connection, [&](Tick when) {
    at(when, [this, &from, &to, life = to.life(), arrive] {
      if (to.alive() && to.life() == life && !apart(from, to)) {
        arrive(to);
      }
    });
  });
}

}  // namespace turnout::sim
