#include "store/sqlite/lock.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "base/check.h"
#include "base/mutant.h"

namespace turnout::store::sqlite {

namespace {

constexpr std::int64_t kGate = 0;
constexpr std::int64_t kLock = 1;
constexpr std::int64_t kNoteAt = 8;  // byte offset of the shared number

struct flock byte_range(std::int64_t byte, int type) {
  struct flock range{};
  range.l_type = static_cast<short>(type);
  range.l_whence = SEEK_SET;
  range.l_start = byte;
  range.l_len = 1;
  return range;
}

// Waits for a byte by asking again and again, since a blocked fcntl knows no time-out: at first at
// once, then less often.
bool lock_byte_until(int fd, std::int64_t byte, std::chrono::microseconds longest_pause,
                     std::chrono::steady_clock::time_point until) {
  std::chrono::microseconds pause(10);
  while (!try_lock_byte(fd, byte)) {
    if (std::chrono::steady_clock::now() >= until) {
      return false;
    }
    std::this_thread::sleep_for(pause);  // rules: allow(sleep): no other process can wake us
    pause = std::min(pause * 2, longest_pause);
  }
  return true;
}

}  // namespace

bool try_lock_byte(int fd, std::int64_t byte) {
  struct flock range = byte_range(byte, F_WRLCK);
  int rc = 0;
  do {
    rc = fcntl(fd, F_OFD_SETLK, &range);
  } while (rc != 0 && errno == EINTR);
  CHECK(rc == 0 || errno == EAGAIN || errno == EACCES || errno == ENOLCK);
  return rc == 0;
}

void unlock_byte(int fd, std::int64_t byte) {
  struct flock range = byte_range(byte, F_UNLCK);
  CHECK(fcntl(fd, F_OFD_SETLK, &range) == 0);
}

base::Result<std::shared_ptr<WriterLock>> WriterLock::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    return base::fail(
        base::ErrorCode::kUnavailable,
        path + ": the lock file of the database cannot be opened: " + std::strerror(errno));
  }
  return std::shared_ptr<WriterLock>(new WriterLock(fd, path));
}

WriterLock::~WriterLock() { ::close(fd_); }

bool WriterLock::pass_turnstile(std::chrono::steady_clock::time_point until) {
  using std::chrono::microseconds;
  if (!lock_byte_until(fd_, kGate, microseconds(400), until)) {
    return false;
  }
  const bool got = base::planted(base::Mutant::kWriterLockNotHeld) ||
                   lock_byte_until(fd_, kLock, microseconds(100), until);
  unlock_byte(fd_, kGate);
  return got;
}

base::Result<void> WriterLock::acquire(base::Duration timeout) {
  const auto until = std::chrono::steady_clock::now() + timeout;
  std::unique_lock guard(mutex_);
  const std::uint64_t ticket = next_ticket_++;
  queue_.push_back(ticket);
  bool mine = moved_.wait_until(guard, until, [&] { return queue_.front() == ticket; });
  if (mine) {
    guard.unlock();
    mine = pass_turnstile(until);
    guard.lock();
  }
  if (!mine) {
    queue_.erase(std::find(queue_.begin(), queue_.end(), ticket));
    moved_.notify_all();
    return base::fail(base::ErrorCode::kUnavailable,
                      path_ + ": somebody else has been writing to the database for " +
                          std::to_string(timeout.count() / 1000) + " ms");
  }
  return base::ok();
}

void WriterLock::release() {
  unlock_byte(fd_, kLock);
  const std::lock_guard guard(mutex_);
  CHECK(!queue_.empty());
  queue_.pop_front();
  moved_.notify_all();
}

int WriterLock::waiting() {
  const std::lock_guard guard(mutex_);
  return queue_.empty() ? 0 : static_cast<int>(queue_.size()) - 1;
}

std::uint64_t WriterLock::note() const {
  std::uint64_t value = 0;
  return ::pread(fd_, &value, sizeof value, kNoteAt) == sizeof value ? value : 0;
}

void WriterLock::set_note(std::uint64_t value) {
  // Advice only: where it is lost, the log is checkpointed once more than needed.
  [[maybe_unused]] const auto written = ::pwrite(fd_, &value, sizeof value, kNoteAt);
}

}  // namespace turnout::store::sqlite
