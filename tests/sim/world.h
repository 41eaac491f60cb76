#pragma once

// A group of peers in virtual time: real Members, Dispatchers and Workers on a model network and
// the model database, all driven from one queue of events and one seed. The same world plays the
// transcripts of tests/group (nothing random) and the simulations of tests/sim (faults drawn from
// the seed).

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "group/dispatcher.h"
#include "group/member.h"
#include "group/worker.h"
#include "sim/database.h"
#include "sim/mutant.h"
#include "sim/random.h"

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
  int contacts = 0;  // on every track, entered at the beginning
  group::Slots slots{2, 1};
  Duration latency = std::chrono::milliseconds(1);           // of a message, one way
  Duration jitter{};                                         // added to it, evenly distributed
  Duration database_latency = std::chrono::milliseconds(2);  // to the database and back
  Duration block_time = std::chrono::milliseconds(20);       // reading and deciding
  std::int64_t drift_ppm = 0;  // clocks run up to so many parts per million fast or slow
  Mutant mutant = Mutant::kNone;
};

// What the network does to messages now; chances in a thousand.
struct NetworkFaults {
  int loss = 0;
  int duplication = 0;
  int reordering = 0;
};

class World;

// One peer process and its machine's clock.
class Host {
 public:
  Host(World& world, PeerName name);

  void start();
  void kill();
  void pause();
  void resume();
  void leave();
  // Somebody says that a contact has changed: the feed is looked at sooner.
  void hint();
  // Runs an input now, or when the process goes on if it is paused. Dropped if it has ended.
  void input(std::function<void()> action);
  void deliver(const PeerName& from, const Message& message);

  bool alive() const { return member_ != nullptr; }
  bool paused() const { return paused_; }
  bool working() const { return alive() && !paused_; }
  const PeerName& name() const { return name_; }
  Incarnation incarnation() const { return incarnation_; }
  std::uint64_t life() const { return life_; }
  group::Member& member() { return *member_; }
  const group::Member& member() const { return *member_; }
  const group::Dispatcher& dispatcher() const { return *dispatcher_; }
  const group::Worker& worker() const { return *worker_; }
  Tick clock() const;
  // Whether the database answers this process.
  bool database_up = true;
  // When this process raised its stamp in the database (world time), the last times.
  std::deque<Tick> stamped_at;

 private:
  friend class World;

  struct Owned {
    Fence fence;
    bool reading = false;  // a look at the timers is under way
    bool more = false;     // and another is wanted
    bool reading_feed = false;
    bool ceding = false;
    std::size_t cursor = 0;  // feed read up to
    std::size_t saved = 0;   // … and noted in the database so far
    // Changed contacts not dealt with yet; true: to be tested once more when the block that holds
    // them has reported.
    std::map<ContactId, bool> pending;
  };

  void pump();
  void schedule_wake();
  void obey(const group::Notice& notice);
  void send(const group::Send& send);
  void own_message(const Message& message);
  void start_requests(const group::Ready& ready);
  void start_stamps(const group::Ready& ready);
  void start_witnesses(const group::Ready& ready);
  void share_load();
  void finish(const group::Finished& finished);
  void poll();
  void look(TrackId track);
  void read_feed(TrackId track);
  void test(TrackId track, ContactId contact);
  void save_cursor(TrackId track);
  void begin(const group::Job& job);
  void commit(const group::Job& job, std::vector<Decision> decisions);
  void hand_out_deliveries();
  void take_deliveries(const std::vector<ActionKey>& keys, Fence master);
  // Sends a request to the database: `run` there, then `done(answered)` here.
  void ask(std::function<void()> run, std::function<void(bool answered)> done);

  World& world_;
  PeerName name_;
  std::uint64_t life_ = 0;  // of the process; answers for an earlier one are dropped
  Incarnation incarnation_;
  std::unique_ptr<group::Member> member_;
  std::unique_ptr<group::Dispatcher> dispatcher_;
  std::unique_ptr<group::Worker> worker_;
  bool paused_ = false;
  bool pumping_ = false;
  std::deque<std::function<void()>> inbox_;  // while paused
  std::optional<Tick> wake_;                 // world time
  std::int64_t clock_offset_us_ = 0;
  std::int64_t clock_ppm_ = 0;
  Tick next_poll_;  // own clock
  std::map<TrackId, Owned> owned_;
  std::optional<Fence> master_;
  int delivering_ = 0;
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
  void watch(Watcher* watcher) { database_.watch(watcher); }

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
  bool is_cut(const PeerName& from, const PeerName& to) const { return cuts_.contains({from, to}); }

  // A checker found a guarantee broken. The first one is kept; the world stops.
  void fail(const std::string& what);
  const std::optional<std::string>& failure() const { return failure_; }

  // Used by hosts.
  void transmit(const Host& from, const PeerName& to, const Message& message);
  void connections_end(const Host& of);
  // A connection is reset while both processes live, and made anew.
  void reset_connection(const PeerName& a, const PeerName& b);
  const std::vector<Observer*>& observers() const { return observers_; }

 private:
  struct Event {
    Tick at;
    std::uint64_t order = 0;
    std::function<void()> action;
    friend bool operator>(const Event& a, const Event& b) {
      return a.at == b.at ? a.order > b.order : a.at > b.at;
    }
  };

  static constexpr int kMaxEventsAtOnce = 10'000;

  WorldConfig config_;
  Random random_;
  Tick now_{};
  int events_now_ = 0;
  std::uint64_t order_ = 0;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> queue_;
  Database database_;
  std::map<PeerName, std::unique_ptr<Host>> hosts_;
  std::set<std::pair<PeerName, PeerName>> cuts_;
  std::map<std::tuple<PeerName, PeerName, bool>, Tick>
      last_arrival_;  // in order per direction and kind
  std::vector<Observer*> observers_;
  std::optional<std::string> failure_;
};

}  // namespace turnout::sim
