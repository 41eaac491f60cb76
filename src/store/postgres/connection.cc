#include "store/postgres/connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <array>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace turnout::store::postgres {

namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

// More texts than any peer uses (parts of the commit × sets of fields); beyond it all are dropped.
constexpr std::size_t kMaxPrepared = 200;

// Where commits do not wait for the disk, a crash of the server would take back what has been done,
// and sent, without anybody being able to tell.
constexpr const char* kSettings =
    "set client_min_messages = error; set timezone = 'UTC'; set datestyle = 'ISO';"
    "set bytea_output = 'hex'; set extra_float_digits = 1; set jit = off;"
    "set enable_hashjoin = off; set enable_mergejoin = off; set enable_seqscan = off;"
    "set enable_material = off; set enable_memoize = off;"
    "set plan_cache_mode = force_generic_plan; set work_mem = '32MB';"
    "set statement_timeout = '60s'; set idle_in_transaction_session_timeout = '30s';"
    "set default_transaction_isolation = 'read committed';"
    "select set_config('synchronous_commit', 'on', false)"
    " where current_setting('synchronous_commit') = 'off'";

std::string one_line(const char* message) {
  std::string text = message == nullptr ? "" : message;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.pop_back();
  }
  for (char& c : text) {
    c = c == '\n' ? ' ' : c;
  }
  return text;
}

ErrorCode code_of(std::string_view sqlstate) {
  if (sqlstate == "23505" || sqlstate == "40001" || sqlstate == "40P01" || sqlstate == "55P03") {
    return ErrorCode::kConflict;
  }
  // Connection, resources (too many connections), operator intervention (shutting down, statement
  // timeout), a server that has become a standby, idle in transaction for too long.
  if (sqlstate.starts_with("08") || sqlstate == "53300" || sqlstate.starts_with("57") ||
      sqlstate == "25006" || sqlstate == "25P03") {
    return ErrorCode::kUnavailable;
  }
  if (sqlstate.starts_with("53")) {
    return ErrorCode::kExhausted;  // disk full, out of memory
  }
  return ErrorCode::kInternal;
}

// Whether the connection is of no use any more: the server is going down or is no primary.
bool must_leave(std::string_view sqlstate) {
  return sqlstate == "25006" || sqlstate.starts_with("57P") || sqlstate == "25P03";
}

void add_value(Params& params, const sql::SqlValue& value) {
  if (std::holds_alternative<sql::Null>(value)) {
    params.add_null(0);
  } else if (const bool* flag = std::get_if<bool>(&value)) {
    params.add(*flag);
  } else if (const std::int64_t* integer = std::get_if<std::int64_t>(&value)) {
    params.add(*integer);
  } else if (const double* number = std::get_if<double>(&value)) {
    params.add(*number);
  } else if (const std::string* text = std::get_if<std::string>(&value)) {
    params.add_untyped(*text);
  } else if (const base::Instant* at = std::get_if<base::Instant>(&value)) {
    params.add(*at);
  } else {
    params.add(std::get<base::Date>(value));
  }
}

// numeric's binary format: number of base-10000 digits, weight, sign, scale, digits.
double numeric(std::string_view bytes) {
  const auto word = [&](std::size_t i) {
    return (static_cast<unsigned char>(bytes[2 * i]) << 8) |
           static_cast<unsigned char>(bytes[2 * i + 1]);
  };
  const int digits = word(0);
  const int weight = static_cast<std::int16_t>(word(1));
  double value = 0;
  double unit = 1;
  for (int i = 0; i < weight; ++i) {
    unit *= 10000;
  }
  for (int i = weight; i < 0; ++i) {
    unit /= 10000;
  }
  for (int i = 0; i < digits; ++i, unit /= 10000) {
    value += word(4 + static_cast<std::size_t>(i)) * unit;
  }
  return word(2) == 0x4000 ? -value : value;
}

constexpr Oid kNumericOid = 1700;
constexpr Oid kFloat4Oid = 700;
constexpr Oid kOidOid = 26;
constexpr Oid kJsonbOid = 3802;
constexpr Oid kXid8Oid = 5069;

sql::SqlValue cell(const Answer& answer, int row, int column) {
  if (answer.is_null(row, column)) {
    return sql::Null{};
  }
  switch (answer.type(column)) {
    case kBoolOid:
      return answer.boolean(row, column);
    case kInt2Oid:
      return std::int64_t{answer.int2(row, column)};
    case kInt4Oid:
      return std::int64_t{answer.int4(row, column)};
    case kOidOid:
      return std::int64_t{static_cast<std::uint32_t>(answer.int4(row, column))};
    case kInt8Oid:
    case kXid8Oid:
      return answer.int8(row, column);
    case kFloat8Oid:
      return answer.float8(row, column);
    case kFloat4Oid:
      return double{std::bit_cast<float>(answer.int4(row, column))};
    case kNumericOid: {
      const double value = numeric(answer.text(row, column));
      const auto whole = static_cast<std::int64_t>(value);
      if (static_cast<double>(whole) == value) {  // sum(bigint)
        return whole;
      }
      return value;
    }
    case kTimestampOid:
      return answer.instant(row, column);
    case kDateOid:
      return base::Date{answer.int4(row, column) + kEpochDays};
    case kJsonbOid:
      return std::string(answer.text(row, column).substr(1));  // after the version byte
    default:
      return std::string(answer.text(row, column));
  }
}

void ignore_notice(void*, const PGresult*) {}

}  // namespace

std::string Target::application_name() const {
  const std::lock_guard lock(mutex_);
  return peer_.empty() ? "turnout" : "turnout " + peer_;
}

void Target::set_peer(const std::string& name) {
  const std::lock_guard lock(mutex_);
  peer_ = name;
}

void PgConnection::Finish::operator()(pg_conn* connection) const { PQfinish(connection); }

PgConnection::PgConnection(std::shared_ptr<Target> target) : target_(std::move(target)) {}
PgConnection::~PgConnection() = default;

bool PgConnection::connected() const {
  return connection_ != nullptr && PQstatus(connection_.get()) == CONNECTION_OK;
}

int PgConnection::server_process() const {
  return connected() ? PQbackendPID(connection_.get()) : 0;
}

int PgConnection::server_version() const {
  return connected() ? PQserverVersion(connection_.get()) : 0;
}

void PgConnection::when_late(std::chrono::milliseconds patience, std::function<void()> late) {
  patience_ = patience;
  late_ = std::move(late);
}

void PgConnection::close() {
  connection_.reset();
  prepared_.clear();
  in_transaction_ = false;
}

Result<void> PgConnection::ensure() {
  if (connected()) {
    return base::ok();
  }
  if (in_transaction_) {
    close();
    return fail(ErrorCode::kUnavailable, "the connection to PostgreSQL broke in a transaction");
  }
  return connect();
}

Result<void> PgConnection::connect() {
  close();
  const std::string name = target_->application_name();
  // What stands before `dbname` is a default that the URL may override; what stands after it wins.
  const std::array keywords{"fallback_application_name",
                            "connect_timeout",
                            "tcp_user_timeout",
                            "keepalives_idle",
                            "keepalives_interval",
                            "keepalives_count",
                            "dbname",
                            "target_session_attrs",
                            static_cast<const char*>(nullptr)};
  const std::array values{name.c_str(),
                          "5",
                          "10000",
                          "10",
                          "5",
                          "3",
                          target_->url().c_str(),
                          "read-write",
                          static_cast<const char*>(nullptr)};
  connection_.reset(PQconnectdbParams(keywords.data(), values.data(), 1));
  if (!connected()) {
    const std::string why = one_line(PQerrorMessage(connection_.get()));
    close();
    return fail(ErrorCode::kUnavailable, "cannot connect to PostgreSQL: " + why);
  }
  PQsetNoticeReceiver(connection_.get(), &ignore_notice, nullptr);
  return set_up();
}

Result<void> PgConnection::set_up() {
  TRYV(run_script(kSettings));
  TRY(const Answer answer,
      send(nullptr, "select system_identifier::text from pg_control_system()", Params()));
  system_identifier_ = std::string(answer.text(0, 0));
  return base::ok();
}

Result<Answer> PgConnection::finish(pg_result* result) {
  Answer answer(result);
  retry_ = false;
  unanswered_ = false;
  sqlstate_.clear();
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
    return answer;
  }
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  sqlstate_ = state == nullptr ? "" : state;
  const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const std::string message =
      primary != nullptr ? one_line(primary) : one_line(PQerrorMessage(connection_.get()));
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    unanswered_ = true;
    close();
    return fail(ErrorCode::kUnavailable, "the connection to PostgreSQL broke: " + message);
  }
  retry_ = sqlstate_ == "40001" || sqlstate_ == "40P01" || sqlstate_ == "55P03";
  const ErrorCode code = code_of(sqlstate_);
  if (must_leave(sqlstate_)) {
    close();
  }
  return fail(code, "PostgreSQL: " + message + " (" + sqlstate_ + ")");
}

Result<std::string> PgConnection::prepare(const std::string& sql, const std::vector<Oid>& types) {
  const auto found = prepared_.find(sql);
  if (found != prepared_.end()) {
    return found->second;
  }
  if (prepared_.size() >= kMaxPrepared) {
    TRYV(run_script("deallocate all"));
    prepared_.clear();
  }
  std::string name = "s" + std::to_string(prepared_.size() + 1);
  ++statements_;
  TRY(const Answer prepared, finish(PQprepare(connection_.get(), name.c_str(), sql.c_str(),
                                              static_cast<int>(types.size()), types.data())));
  prepared_.emplace(sql, name);
  return name;
}

Result<Answer> PgConnection::wait_for_answer() {
  auto patience = patience_;
  while (PQisBusy(connection_.get()) != 0) {
    pollfd descriptor{PQsocket(connection_.get()), POLLIN, 0};
    const int ready = poll(&descriptor, 1, static_cast<int>(patience.count()));
    if (ready == 0) {
      late_();
      patience = patience_ / 5;
    } else if (PQconsumeInput(connection_.get()) == 0) {
      break;
    }
  }
  pg_result* const first = PQgetResult(connection_.get());
  while (pg_result* const more = PQgetResult(connection_.get())) {
    PQclear(more);
  }
  return finish(first);
}

Result<Answer> PgConnection::send(const char* name, const std::string& sql, const Params& params) {
  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<int> formats;
  params.pointers(values, lengths, formats);
  ++statements_;
  const int n = static_cast<int>(params.size());
  if (late_) {
    if (PQsendQueryParams(connection_.get(), sql.c_str(), n, params.types().data(), values.data(),
                          lengths.data(), formats.data(), 1) == 0) {
      return finish(nullptr);
    }
    return wait_for_answer();
  }
  if (name != nullptr) {
    return finish(PQexecPrepared(connection_.get(), name, n, values.data(), lengths.data(),
                                 formats.data(), 1));
  }
  return finish(PQexecParams(connection_.get(), sql.c_str(), n, params.types().data(),
                             values.data(), lengths.data(), formats.data(), 1));
}

Result<Answer> PgConnection::run(const std::string& sql, const Params& params) {
  TRYV(ensure());
  TRY(const std::string name, prepare(sql, params.types()));
  return send(name.c_str(), sql, params);
}

Result<Answer> PgConnection::run_once(const std::string& sql, const Params& params) {
  TRYV(ensure());
  return send(nullptr, sql, params);
}

Result<sql::Rows> PgConnection::query(std::string_view sql,
                                      const std::vector<sql::SqlValue>& values) {
  Params params;
  for (const sql::SqlValue& value : values) {
    add_value(params, value);
  }
  TRY(const Answer answer, run_once(std::string(sql), params));
  std::vector<sql::Rows::Row> rows(static_cast<std::size_t>(answer.rows()));
  for (int r = 0; r < answer.rows(); ++r) {
    sql::Rows::Row& row = rows[static_cast<std::size_t>(r)];
    row.reserve(static_cast<std::size_t>(answer.columns()));
    for (int c = 0; c < answer.columns(); ++c) {
      row.push_back(cell(answer, r, c));
    }
  }
  return sql::Rows(std::move(rows));
}

Result<std::int64_t> PgConnection::execute(std::string_view sql,
                                           const std::vector<sql::SqlValue>& values) {
  Params params;
  for (const sql::SqlValue& value : values) {
    add_value(params, value);
  }
  TRY(const Answer answer, run_once(std::string(sql), params));
  return answer.affected();
}

Result<void> PgConnection::run_script(const std::string& sql) {
  TRYV(ensure());
  ++statements_;
  TRY(const Answer answer, finish(PQexec(connection_.get(), sql.c_str())));
  return base::ok();
}

Result<void> PgConnection::begin(sql::TransactionMode mode) {
  CHECK(!in_transaction_);
  TRYV(run_script(mode == sql::TransactionMode::kRead
                      ? "begin isolation level repeatable read read only"
                      : "begin isolation level read committed read write"));
  in_transaction_ = true;
  return base::ok();
}

Result<void> PgConnection::commit() {
  CHECK(in_transaction_);
  Result<void> done = run_script("commit");
  if (done) {
    in_transaction_ = false;
  }
  return done;
}

void PgConnection::rollback() {
  const bool retry = retry_;  // of the statement that failed
  if (connected() && PQtransactionStatus(connection_.get()) != PQTRANS_IDLE) {
    static_cast<void>(run_script("rollback"));
    if (connected() && PQtransactionStatus(connection_.get()) != PQTRANS_IDLE) {
      close();
    }
  }
  in_transaction_ = false;
  retry_ = retry;
}

Result<base::Instant> PgConnection::now() {
  TRY(const Answer answer, run("select clock_timestamp()", Params()));
  return answer.instant(0, 0);
}

Result<base::Timeline> PgConnection::timeline() {
  static const std::string sql = std::string("select ") + kTimelineSql;
  TRY(const Answer answer, run(sql, Params()));
  return base::Timeline(answer.int8(0, 0));
}

}  // namespace turnout::store::postgres
