#pragma once

// One running peer: the loop that joins the protocol (group::Member), the connections (link::Link),
// the engine (work::Engine), the requests to the database (work::Control) and the deliveries. All
// of it happens on the one thread that runs the io_context; threads that wait for the database or
// the world post their answers to it.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "cli/config.h"
#include "cli/delivery_desk.h"
#include "cli/paced.h"
#include "group/member.h"
#include "link/certificate_watch.h"
#include "link/link.h"
#include "store/store.h"
#include "web/host.h"
#include "work/control.h"
#include "work/engine.h"
#include "work/track_book.h"

namespace turnout::cli {

// What others may know of the peer at any time; replaced as a whole by the loop.
struct PeerSnapshot {
  web::GroupView group;
  web::Readiness readiness;
  work::EngineCounters counters;
  // What the group's machine has said so far, by kind: "track_gained", "peer_gone", "stopped_unfit"
  // …, and how often.
  std::map<std::string, std::int64_t> transitions;
  std::optional<base::Instant> certificate_ends;  // by this machine's clock; none without one
};

class Peer {
 public:
  // `store` is migrated, `self` has begun its life on `session`. The others outlive the peer.
  Peer(boost::asio::io_context& io, const Config& config, store::Store& store,
       work::TrackBook& book, store::PeerId self);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // Opens connections to the database, listens for peers, begins to advertise. Errors name the
  // address or database.
  base::Result<void> start(std::unique_ptr<store::GroupSession> session);
  // Reads key files or certificates again, as `group` names them; everything else in it is ignored.
  // What is wrong is logged, and then the peer goes on with what it has. From the loop.
  void renew_credentials(const GroupConfig& group);
  // Begins to leave the group; `done` is called on the loop when nothing is owned any more.
  void leave(std::function<void()> done);
  // Called once, on the loop, when this peer must end: another process has taken its name.
  void on_superseded(std::function<void()> superseded) { superseded_ = std::move(superseded); }

  // Names of the e-mail templates that this peer can send. After start().
  std::vector<std::string> templates() const { return desk_->templates(); }

  // Thread-safe.
  std::shared_ptr<const PeerSnapshot> snapshot() const;
  void catalogue_changed();
  void contacts_changed();

 private:
  base::Result<void> start_link();
  base::Result<void> start_engine();
  work::Control::Callbacks control_callbacks();
  template <class F>
  auto on_loop(F then);
  void after_input();
  void carry_out(const group::Ready& ready);
  void notice(const group::Notice& notice);
  void note_life(const group::PeerChanged& changed);
  void send(const base::PeerName& to, const group::Message& message);
  void receive(const base::PeerName& from, group::Message message);
  void schedule();
  void tick();
  void offer_deliveries(base::Tick now);
  void take_hint(const link::Hint& hint);
  void say_hints(base::Tick now);
  void take_catalogue(std::int64_t version);
  void take_snapshot();
  web::PeerView view_of(const group::PeerInfo& info, base::Tick now) const;

  boost::asio::io_context& io_;
  const Config& config_;
  store::Store& store_;
  work::TrackBook& book_;
  const store::PeerId self_;
  group::Config group_config_;
  std::unique_ptr<group::Member> member_;
  std::unique_ptr<link::Link> link_;
  std::unique_ptr<work::Control> control_;
  std::unique_ptr<DeliveryDesk> desk_;
  std::unique_ptr<work::Engine> engine_;
  boost::asio::steady_timer timer_;
  group::Load load_;
  std::map<base::PeerName, base::Incarnation> lives_;  // of the other peers, the last heard of
  std::map<std::string, std::int64_t> transitions_;
  link::CertificateWatch certificate_;
  base::Tick snapshot_at_{};
  Paced poke_;  // the engine, since contacts have changed
  Paced hint_contacts_;
  Paced hint_outbox_;
  bool settling_ = false;
  bool again_ = false;
  std::int64_t catalogue_seen_ = 0;   // newest version that a stamp's answer named
  std::int64_t catalogue_asked_ = 0;  // version that the refresh under way brings
  std::function<void()> left_;
  std::function<void()> superseded_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  mutable std::mutex snapshot_mutex_;
  std::shared_ptr<const PeerSnapshot> snapshot_ = std::make_shared<PeerSnapshot>();
};

}  // namespace turnout::cli
