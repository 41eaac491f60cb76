#include "store/sqlite/database.h"

#include <sys/vfs.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/check.h"
#include "track/block.h"

namespace turnout::store::sqlite {

namespace {

constexpr base::Duration kLockTimeout = std::chrono::seconds(10);
constexpr int kBusyMs = 5000;
// Truncating waits for readers that still look at the log; the lock is held meanwhile.
constexpr int kTruncateBusyMs = 150;
constexpr std::uint64_t kPassiveBytes = 16ULL << 20;
constexpr std::uint64_t kTruncateBytes = 64ULL << 20;

// statfs(2) magic numbers of file systems on which neither WAL nor our lock file can be relied on.
constexpr std::array<std::pair<std::uint32_t, const char*>, 9> kNetworkFileSystems = {{
    {0x6969, "NFS"},
    {0x517b, "SMB"},
    {0xff534d42, "CIFS"},
    {0xfe534d42, "SMB2"},
    {0x01021997, "9p"},
    {0x5346414f, "AFS"},
    {0x73757245, "Coda"},
    {0x00c36400, "Ceph"},
    {0x65735546, "FUSE"},
}};

base::Result<void> refuse_network(const std::string& path) {
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) {
    folder = ".";
  }
  struct statfs fs{};
  if (statfs(folder.c_str(), &fs) != 0) {
    return base::fail(
        base::ErrorCode::kUnavailable,
        path + ": the folder of the database cannot be read: " + std::strerror(errno));
  }
  const auto magic = static_cast<std::uint32_t>(fs.f_type);
  for (const auto& [number, name] : kNetworkFileSystems) {
    if (magic == number) {
      return base::fail(
          base::ErrorCode::kInvalid,
          path + ": an SQLite database cannot live on a network file system (" + name +
              "), whose locks do not hold; move it to a local disk or use PostgreSQL");
    }
  }
  return base::ok();
}

base::Instant machine_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return base::Instant{std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

void sql_now(sqlite3_context* context, int /*arguments*/, sqlite3_value** /*values*/) {
  const auto* database = static_cast<const Database*>(sqlite3_user_data(context));
  sqlite3_result_int64(context, database->now().us);
}

}  // namespace

void Statement::bind_time(int at, base::Instant instant) {
  if (instant == track::kNever) {
    sqlite3_bind_null(stmt_, at);
  } else {
    sqlite3_bind_int64(stmt_, at, instant.us);
  }
}

base::Instant Statement::time(int column) const {
  return is_null(column) ? track::kNever : base::Instant{integer(column)};
}

base::Result<std::unique_ptr<Database>> Database::open(const std::string& path,
                                                       std::shared_ptr<WriterLock> lock) {
  TRYV(refuse_network(path));
  sqlite3* db = nullptr;
  constexpr int kFlags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int rc = sqlite3_open_v2(path.c_str(), &db, kFlags, nullptr);
  std::unique_ptr<Database> database(new Database(db, std::move(lock)));
  if (rc != SQLITE_OK) {
    return base::fail(base::ErrorCode::kUnavailable,
                      path + ": the database cannot be opened: " +
                          (db != nullptr ? sqlite3_errmsg(db) : "out of memory"));
  }
  if (auto ready = database->set_up(); !ready) {
    return base::fail(ready.error().code, path + ": " + ready.error().message);
  }
  return database;
}

base::Result<void> Database::set_up() {
  sqlite3_busy_timeout(db_, kBusyMs);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_create_function(db_, "turnout_now", 0, SQLITE_UTF8 | SQLITE_INNOCUOUS, this, sql_now,
                          nullptr, nullptr);
  // Making the file and its log writes to it, so it happens under our lock.
  TRYV(lock_->acquire(kLockTimeout));
  auto ready = exec(
      "pragma page_size = 4096; pragma journal_mode = wal; pragma synchronous = full; pragma "
      "wal_autocheckpoint = 0;"
      "pragma cache_size = -16000; pragma temp_store = memory; pragma foreign_keys = off");
  lock_->release();
  TRYV(std::move(ready));
  TRY(Statement size, prepare("pragma page_size"));
  if (size.step() != SQLITE_ROW) {
    return base::fail(error().code, error().message);
  }
  page_size_ = size.integer32(0);
  sqlite3_wal_hook(
      db_,
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<Database*>(self)->log_pages_ = pages;
        return SQLITE_OK;
      },
      this);
  return base::ok();
}

Database::~Database() {
  rollback();
  sqlite3_close_v2(db_);
}

base::Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* stmt = nullptr;
  const int rc = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()),
                                    SQLITE_PREPARE_PERSISTENT, &stmt, nullptr);
  if (rc != SQLITE_OK) {
    return base::fail(error().code, error().message);
  }
  return Statement(stmt);
}

base::Error Database::error() const {
  const int extended = sqlite3_extended_errcode(db_);
  std::string message = std::string("SQLite: ") + sqlite3_errmsg(db_);
  switch (extended & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PROTOCOL:
    case SQLITE_INTERRUPT:
      return {base::ErrorCode::kUnavailable, std::move(message)};
    case SQLITE_FULL:
    case SQLITE_TOOBIG:
      return {base::ErrorCode::kExhausted, std::move(message)};
    case SQLITE_CONSTRAINT:
      return {base::ErrorCode::kConflict, std::move(message)};
    case SQLITE_NOTADB:
      return {base::ErrorCode::kInvalid, std::move(message)};
    default:
      return {base::ErrorCode::kInternal, std::move(message)};
  }
}

base::Result<void> Database::exec(const char* sql) {
  const int rc = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  busy_ = (rc & 0xff) == SQLITE_BUSY;
  if (rc != SQLITE_OK) {
    const base::Error why = error();
    return base::fail(why.code, why.message);
  }
  return base::ok();
}

base::Result<void> Database::begin_write() {
  CHECK(mode_ == Mode::kNone);
  busy_ = false;
  TRYV(lock_->acquire(kLockTimeout));
  mode_ = Mode::kWrite;
  began_ = machine_now();
  if (auto begun = exec("begin immediate"); !begun) {
    leave();
    return begun;
  }
  return base::ok();
}

base::Result<void> Database::end() {
  CHECK(mode_ != Mode::kNone);
  TRYV(exec("commit"));
  if (mode_ == Mode::kWrite) {
    checkpoint_if_due();
  }
  leave();
  return base::ok();
}

base::Result<void> Database::begin_read() {
  CHECK(mode_ == Mode::kNone);
  TRYV(exec("begin"));
  mode_ = Mode::kRead;
  began_ = machine_now();
  return base::ok();
}

void Database::rollback() {
  if (mode_ == Mode::kNone) {
    return;
  }
  if (sqlite3_get_autocommit(db_) == 0) {
    sqlite3_exec(db_, "rollback", nullptr, nullptr, nullptr);
  }
  leave();
}

void Database::leave() {
  if (mode_ == Mode::kWrite) {
    lock_->release();
  }
  mode_ = Mode::kNone;
}

base::Instant Database::now() const { return mode_ == Mode::kNone ? machine_now() : began_; }

// A log that is in the database whole is used again from its start by the next writer, if no reader
// still looks at it. A checkpoint that fails loses nothing; it is tried again when the log has
// grown.
void Database::checkpoint_if_due() {
  const std::uint64_t bytes =
      static_cast<std::uint64_t>(log_pages_) * static_cast<std::uint64_t>(page_size_);
  const std::uint64_t last = lock_->note();
  if (bytes < kPassiveBytes) {
    if (last != 0) {
      lock_->set_note(0);  // the log has begun anew
    }
    return;
  }
  if (last <= bytes && bytes - last < kPassiveBytes && last != 0) {
    return;
  }
  const bool truncate = bytes >= kTruncateBytes;
  if (truncate) {
    sqlite3_busy_timeout(db_, kTruncateBusyMs);
  }
  const int rc = sqlite3_wal_checkpoint_v2(
      db_, nullptr, truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, nullptr,
      nullptr);
  if (truncate) {
    sqlite3_busy_timeout(db_, kBusyMs);
  }
  lock_->set_note(rc == SQLITE_OK && truncate ? 0 : bytes);
}

}  // namespace turnout::store::sqlite
