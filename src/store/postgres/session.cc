#include "store/postgres/session.h"

#include <utility>

namespace turnout::store::postgres {

PgSession::PgSession(std::unique_ptr<PgConnection> connection)
    : sql::SqlSession(std::move(connection)),
      connection_(static_cast<PgConnection&>(sql::SqlSession::connection())) {}

}  // namespace turnout::store::postgres
