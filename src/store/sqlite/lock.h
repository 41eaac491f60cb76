#pragma once

// The lock of our own under which every write transaction and every checkpoint of an SQLite
// database happens, in all processes.
//
// Why: before 3.51.3 SQLite could corrupt a database in WAL mode when one connection finished a
// checkpoint, a second began one, and a third meanwhile wrapped the log round ("the WAL-reset bug",
// sqlite.org/wal.html): the second then believed frames of the new log to be in the database
// already. Where writers and checkpoints never overlap, that cannot happen with any version. It
// also makes waiting fair, which SQLite's own busy handler is not.
//
// How: threads of the process queue up first come, first served. The first in the queue goes
// through a turnstile of two byte-range locks (open-file-description locks, fcntl(2), which end
// with the process): byte 0 is the gate, byte 1 the lock. Who waits for the lock holds the gate, so
// whoever lets the lock go cannot have it again before the one at the gate.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace turnout::store::sqlite {

// Thread-safe. One per database and process (more do no harm).
class WriterLock {
 public:
  // Opens or makes the file. kUnavailable when it cannot be had.
  static base::Result<std::shared_ptr<WriterLock>> open(const std::string& path);
  ~WriterLock();
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

  // kUnavailable when it cannot be had in time.
  base::Result<void> acquire(base::Duration timeout);
  void release();  // by the thread that acquired it

  // Threads of this process that wait for it now, the one that has it not counted.
  int waiting();

  // A number that all processes share and that is read and written under the lock: the length of
  // the log when it was last checkpointed. 0 at first.
  std::uint64_t note() const;
  void set_note(std::uint64_t value);

 private:
  WriterLock(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  bool pass_turnstile(std::chrono::steady_clock::time_point until);

  const int fd_;
  const std::string path_;
  std::mutex mutex_;
  std::condition_variable moved_;
  std::deque<std::uint64_t> queue_;  // tickets, the holder's first
  std::uint64_t next_ticket_ = 0;
};

// An exclusive open-file-description lock on a byte of an open file; false when somebody else has
// it.
bool try_lock_byte(int fd, std::int64_t byte);
void unlock_byte(int fd, std::int64_t byte);

}  // namespace turnout::store::sqlite
