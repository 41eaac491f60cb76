#pragma once

// The peer group's part on SQLite: life locks and stamps in small files (sqlite/life.h), the ledger
// in the database.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "store/sqlite/connection.h"
#include "store/sqlite/life.h"
#include "store/store.h"

namespace turnout::store::sqlite {

class SqliteGroupSession final : public GroupSession {
 public:
  SqliteGroupSession(std::unique_ptr<SqliteConnection> connection, std::string folder)
      : connection_(std::move(connection)), folder_(std::move(folder)) {}

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

 private:
  base::Result<StampFile*> stamp_file(const base::PeerName& name);

  const std::unique_ptr<SqliteConnection> connection_;
  const std::string folder_;
  std::unique_ptr<Life> life_;
  std::map<base::PeerName, std::unique_ptr<StampFile>> stamp_files_;
};

}  // namespace turnout::store::sqlite
