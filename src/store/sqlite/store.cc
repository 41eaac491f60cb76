#include "store/sqlite/store.h"

#include <mutex>
#include <utility>

#include "store/sql/migrate.h"
#include "store/sqlite/group.h"
#include "store/sqlite/life.h"
#include "store/sqlite/lock.h"
#include "store/sqlite/session.h"

namespace turnout::store::sqlite {

namespace {

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(std::string path) : path_(std::move(path)) {}

  base::Result<void> migrate() override {
    TRY(const std::unique_ptr<SqliteConnection> connection, connect());
    TRY(const std::string folder, life_folder(path_));
    return sql::migrate(*connection, sql::sqlite_migrations(),
                        [&](const PeerId& peer) { return Life::has_ended(folder, peer); });
  }

  base::Result<std::unique_ptr<Session>> open_session() override {
    TRY(std::unique_ptr<SqliteConnection> connection, connect());
    return std::make_unique<SqliteSession>(std::move(connection));
  }

  base::Result<std::unique_ptr<GroupSession>> open_group_session() override {
    TRY(std::unique_ptr<SqliteConnection> connection, connect());
    TRY(std::string folder, life_folder(path_));
    return std::make_unique<SqliteGroupSession>(std::move(connection), std::move(folder));
  }

  std::string describe() const override { return "SQLite " + path_; }

 private:
  base::Result<std::unique_ptr<SqliteConnection>> connect() {
    TRY(std::shared_ptr<WriterLock> writers, lock());
    TRY(std::unique_ptr<Database> database, Database::open(path_, std::move(writers)));
    return std::make_unique<SqliteConnection>(std::move(database));
  }

  // One for all connections of the store, so that its threads queue up fairly.
  base::Result<std::shared_ptr<WriterLock>> lock() {
    const std::lock_guard guard(mutex_);
    if (lock_ == nullptr) {
      TRY(lock_, WriterLock::open(path_ + "-lock"));
    }
    return lock_;
  }

  const std::string path_;
  std::mutex mutex_;
  std::shared_ptr<WriterLock> lock_;
};

}  // namespace

base::Result<std::unique_ptr<Store>> open(const std::string& path) {
  return std::make_unique<SqliteStore>(path);
}

}  // namespace turnout::store::sqlite
