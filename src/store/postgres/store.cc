#include "store/postgres/store.h"

#include <libpq-fe.h>

#include <cstring>
#include <utility>

#include "store/postgres/group_session.h"
#include "store/postgres/session.h"
#include "store/sql/migrate.h"

namespace turnout::store::postgres {

namespace {

using base::Result;

// What we use is there since 13 (xid8, snapshots of it, FETCH FIRST … WITH TIES); 15 is what is
// tested, 14 the oldest that its makers still support.
constexpr int kOldestServer = 140'000;

class PgStore final : public Store {
 public:
  PgStore(std::string url, std::string description)
      : target_(std::make_shared<Target>(std::move(url))), description_(std::move(description)) {}

  Result<void> migrate() override {
    PgConnection connection(target_);
    TRYV(connection.ensure());
    if (connection.server_version() < kOldestServer) {
      return base::fail(base::ErrorCode::kInvalid,
                        "PostgreSQL is older than version 14, which is the oldest supported");
    }
    PgGroupSession lives(target_);
    return sql::migrate(connection, sql::postgres_migrations(),
                        [&](const PeerId& peer) { return lives.life_has_ended(peer); });
  }

  Result<std::unique_ptr<Session>> open_session() override {
    // It connects when it is first asked: a server goes on beginning while its database is away.
    return std::unique_ptr<Session>(
        std::make_unique<PgSession>(std::make_unique<PgConnection>(target_)));
  }

  Result<std::unique_ptr<GroupSession>> open_group_session() override {
    auto session = std::make_unique<PgGroupSession>(target_);
    TRYV(session->postgres().ensure());
    return std::unique_ptr<GroupSession>(std::move(session));
  }

  std::string describe() const override { return description_; }

 private:
  const std::shared_ptr<Target> target_;
  const std::string description_;
};

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

}  // namespace

Result<std::unique_ptr<Store>> open_postgres(const std::string& url) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, FreeOptions> options(
      PQconninfoParse(url.c_str(), &message));
  if (options == nullptr) {
    std::string why = message == nullptr ? "out of memory" : message;
    PQfreemem(message);
    while (!why.empty() && why.back() == '\n') {
      why.pop_back();
    }
    return base::fail(base::ErrorCode::kInvalid, "the database's address is not valid: " + why);
  }
  std::string host = "localhost";
  std::string database;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) {
      continue;
    }
    if (std::strcmp(option->keyword, "host") == 0) {
      host = option->val;
    } else if (std::strcmp(option->keyword, "dbname") == 0) {
      database = option->val;
    }
  }
  return std::unique_ptr<Store>(
      std::make_unique<PgStore>(url, "PostgreSQL " + host + "/" + database));
}

}  // namespace turnout::store::postgres
