#pragma once

// The engine of one peer: as owner it cuts blocks of what is due and hands them out; as worker it
// carries out blocks, its own and others'. It joins the two state machines of the block exchange
// (group::Dispatcher, group::Worker) to the threads that do the work (Owner, WorkerPool).
//
// All methods are called on one thread, the loop; hooks come on the loop too.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "group/dispatcher.h"
#include "group/member.h"
#include "group/worker.h"
#include "store/store.h"
#include "work/cutter.h"
#include "work/idle_time.h"
#include "work/owner.h"
#include "work/requests.h"
#include "work/track_book.h"
#include "work/worker_pool.h"

namespace turnout::work {

struct EngineConfig {
  group::Config group;
  int threads = 2;               // that carry out blocks, each with a connection; 1–16
  std::int32_t peer_number = 0;  // small number that tells this life's tally rows from other peers'
};

struct EngineHooks {
  // Runs a function on the loop, soon; from any thread. Nothing is run after the engine's end.
  std::function<void(std::function<void()>)> post;
  std::function<void(const base::PeerName& to, const group::Message&)> send;
  std::function<void(const group::Load&)> load_changed;            // for Member::set_load
  std::function<void(base::TrackId)> drained;                      // for Member::drained
  std::function<void(bool succeeded, base::Tick began)> database;  // for Member::database
  // Reads the ledger's row of a track and answers on the loop, exactly once.
  std::function<void(base::TrackId, std::function<void(const FoundRow&)>)> read_row;
  std::function<void(std::string)> warn;      // a line for the log
  std::function<void()> catalogue_refreshed;  // the book was brought up to date
  std::function<void()> acted;                // a block has put actions in the outbox
};

struct EngineCounters {
  std::int64_t blocks = 0;   // carried out here
  std::int64_t moves = 0;    // made here
  std::int64_t actions = 0;  // put in the outbox here
  std::int64_t stale = 0;    // contacts that were not where a block said
  std::int64_t failed = 0;   // blocks that the database did not take
  IdleTime idle;
  // Blocks handed out to each peer, as owner of the track.
  std::map<base::TrackId, std::map<base::PeerName, std::int64_t>> handed;
};

class Engine {
 public:
  // Opens its connections: errors are the store's. `book` must outlive the engine.
  static base::Result<std::unique_ptr<Engine>> start(EngineConfig config, store::Store& store,
                                                     TrackBook& book, store::PeerId self,
                                                     EngineHooks hooks, base::Tick now);
  ~Engine();

  void notice(const group::Notice& notice, base::Tick now);
  // A life of the peer is over: the blocks that it had in hand are ready again, its credit is free.
  void peer_ended(const base::PeerName& peer, base::Tick now);
  // A message that Member::receive let pass.
  void receive(const group::Message& message, const base::PeerName& from, base::Tick now);
  void tick(base::Tick now);
  base::Tick next_tick() const;
  // Contacts were changed through this server.
  void poke();
  // The catalogue has a new version: the book is brought up to date, again and again until that
  // succeeds; then EngineHooks::catalogue_refreshed is called.
  void refresh_catalogue();

  const EngineCounters& counters() const { return counters_; }
  std::vector<group::TrackLoad> tracks() const { return dispatcher_.tracks(); }
  // Why a track that this peer owns does not go on, by track.
  const std::map<base::TrackId, std::string>& problems() const { return problems_; }

 private:
  Engine(EngineConfig config, TrackBook& book, store::PeerId self, EngineHooks hooks,
         base::Tick now);
  Owner::Callbacks owner_callbacks();
  void gained(base::TrackId track, const group::Fence& fence);
  void begin_gained();
  void take_refreshed(std::uint64_t number, bool succeeded);
  bool begin(const store::Fence& fence, base::Tick now);  // false: it cannot run here
  void lost(base::TrackId track);
  void take_cut(const Cut& cut);
  void cut_where_wanted(base::Tick now);
  void pump(base::Tick now);
  bool pump_dispatcher(base::Tick now);
  bool pump_worker(base::Tick now);
  void submit(const group::Job& job);
  void settle(const group::Job& job, const BlockDone& done);
  void refuse(const group::Job& job);
  void take_finished(const group::Finished& finished);
  void publish_load();
  void check_drained();

  const EngineConfig config_;
  TrackBook& book_;
  const store::PeerId self_;
  const EngineHooks hooks_;
  group::Dispatcher dispatcher_;
  group::Worker worker_;
  std::map<base::TrackId, Cutter> cutters_;
  std::map<base::TrackId, store::Fence> gained_;     // to begin once the book is up to date
  std::map<base::TrackId, store::Fence> beginning_;  // while it is being brought up to date
  std::uint64_t refreshes_ = 0;                      // asked for so far
  std::uint64_t begin_at_ = 0;                       // the one that `beginning_` waits for
  std::optional<base::Tick> refresh_again_;          // the last one failed: when to try again
  std::vector<base::TrackId> draining_;
  std::map<base::TrackId, std::string> problems_;
  EngineCounters counters_;
  group::Load load_;
  bool pumping_ = false;
  base::Tick pumped_at_{};
  std::unique_ptr<Owner> owner_;
  std::unique_ptr<WorkerPool> pool_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace turnout::work
