#pragma once

// Deliveries of one peer: as master it hands out what waits in the outbox, under each peer's
// credit; as any peer it takes what it is handed and carries it out.
//
// All methods are called on the loop.

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "cli/config.h"
#include "group/message.h"
#include "store/store.h"
#include "work/track_book.h"

namespace turnout::cli {

class DeliveryDesk {
 public:
  struct Hooks {
    std::function<void(std::function<void()>)> post;  // on the loop; from any thread
    std::function<void(const base::PeerName& to, const group::Handout&)> send;
    std::function<void()> recorded;  // events that actions asked for; from any thread
  };

  // Opens its connections to the database. Errors: the store's, or a template that cannot be read.
  // `book` says what tracks let go out when, and must outlive the desk.
  static base::Result<std::unique_ptr<DeliveryDesk>> start(const Config& config,
                                                           store::Store& store, store::PeerId self,
                                                           const work::TrackBook& book,
                                                           Hooks hooks);
  ~DeliveryDesk();

  // Names of the e-mail templates that were found.
  std::vector<std::string> templates() const;
  // Deliveries that this peer would take now.
  std::int32_t credit() const;
  // What a peer (or this one) has advertised that it would take.
  void credit_of(const base::PeerName& peer, std::int32_t credit);
  // This peer is master under the epoch; nullopt: it is not.
  void set_master(std::optional<base::Epoch> epoch);
  // Handed to this peer by the master; ignored when older than `known_epoch`.
  void take(const group::Handout& handout, base::Epoch known_epoch);
  // There is something new in the outbox: as master it looks there now.
  void look();
  // The peer takes nothing any more. `certain`: its process is over, so that what it was sending is
  // uncertain.
  void peer_ended(const store::PeerId& peer, bool certain);
  // Takes and hands out nothing until resume().
  void stop();
  void resume();

  void tick(base::Tick now);
  base::Tick next_tick() const;

 private:
  class Impl;
  explicit DeliveryDesk(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace turnout::cli
