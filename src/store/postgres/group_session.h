#pragma once

// The peer group's durable part on PostgreSQL, on a connection of its own: the life lock is an
// advisory lock of that session, which the server drops when the process ends.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/postgres/connection.h"
#include "store/store.h"

namespace turnout::store::postgres {

class PgGroupSession final : public GroupSession {
 public:
  explicit PgGroupSession(std::shared_ptr<Target> target);

  base::Result<base::Incarnation> begin_life(const base::PeerName& name,
                                             const std::string& address) override;
  base::Result<StampAnswer> stamp(const PeerId& self) override;
  base::Result<std::vector<PeerStamp>> stamps() override;
  base::Result<bool> life_has_ended(const PeerId& peer) override;
  base::Result<std::vector<LedgerRow>> ledger() override;
  base::Result<TakeResult> take(base::TrackId track, base::Timeline timeline, base::Epoch expected,
                                const PeerId& self,
                                const std::optional<StillStamp>& still) override;
  base::Result<bool> cede(base::TrackId track, base::Epoch epoch, const PeerId& self) override;

  PgConnection& postgres() { return connection_; }  // for tests

 private:
  // Takes the life lock again when the connection that held it was replaced.
  base::Result<void> hold_life();
  // Ends the sessions that the server process waits for.
  void end_blockers(int waiting_process);

  const std::shared_ptr<Target> target_;
  PgConnection connection_;
  std::optional<PeerId> life_;
  int lock_held_by_ = 0;  // server process of the connection that holds the life lock
  int stamped_by_ = 0;    // server process of the connection that wrote the last stamp
};

}  // namespace turnout::store::postgres
