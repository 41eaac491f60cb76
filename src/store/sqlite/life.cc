#include "store/sqlite/life.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "base/mutant.h"
#include "store/sqlite/lock.h"

namespace turnout::store::sqlite {

namespace {

std::string file_name(const base::PeerName& name) {
  constexpr const char* kHex = "0123456789ABCDEF";
  std::string file;
  for (const char c : name.get()) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || (c == '.' && !file.empty());
    if (plain) {
      file += c;
    } else {
      file += '%';
      file += kHex[byte >> 4];
      file += kHex[byte & 15];
    }
  }
  return file;
}

std::string life_path(const std::string& folder, const PeerId& peer) {
  return folder + "/" + file_name(peer.name) + "." + std::to_string(peer.incarnation.get());
}

auto cannot(const std::string& path, const char* what) {
  return base::fail(base::ErrorCode::kUnavailable,
                    path + ": " + what + ": " + std::strerror(errno));
}

}  // namespace

base::Result<std::string> life_folder(const std::string& database) {
  std::string folder = database + "-life";
  if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) {
    return cannot(folder, "the folder of the peers' lives cannot be made");
  }
  return folder;
}

base::Result<std::unique_ptr<Life>> Life::begin(const std::string& folder, const PeerId& peer) {
  const std::string path = life_path(folder, peer);
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    return cannot(path, "the life lock cannot be made");
  }
  std::unique_ptr<Life> life(new Life(fd, path));
  if (!try_lock_byte(fd, 0)) {
    return base::fail(base::ErrorCode::kConflict, path + ": somebody else lives this life");
  }
  return life;
}

Life::~Life() {
  // Its file goes first: a life without a file has ended.
  ::unlink(path_.c_str());
  ::close(fd_);
}

base::Result<bool> Life::has_ended(const std::string& folder, const PeerId& peer) {
  const std::string path = life_path(folder, peer);
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) {
      return true;
    }
    return cannot(path, "the life lock cannot be looked at");
  }
  const bool ended = try_lock_byte(fd, 0) || base::planted(base::Mutant::kLifeLockAlwaysFree);
  ::close(fd);  // gives the lock back, if it was had
  return ended;
}

// Lock-free, so that two processes may have it mapped.
struct StampFile::Shared {
  std::atomic<std::int64_t> incarnation;
  std::atomic<std::int64_t> stamp;
  static_assert(std::atomic<std::int64_t>::is_always_lock_free);
};

base::Result<std::unique_ptr<StampFile>> StampFile::open(const std::string& folder,
                                                         const base::PeerName& name) {
  const std::string path = folder + "/" + file_name(name) + ".stamp";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    return cannot(path, "the stamp file cannot be opened");
  }
  // Only ever made longer, by zeros: no stamp yet. The disk's blocks are had now, for writing into
  // a hole of a full disk would end the process.
  int error = ::posix_fallocate(fd, 0, static_cast<::off_t>(sizeof(Shared)));
  void* const memory =
      error == 0 ? ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                 : MAP_FAILED;
  error = error == 0 ? errno : error;
  ::close(fd);
  if (memory == MAP_FAILED) {
    errno = error;
    return cannot(path, "the stamp file cannot be mapped");
  }
  return std::unique_ptr<StampFile>(new StampFile(static_cast<Shared*>(memory)));
}

StampFile::~StampFile() { ::munmap(shared_, sizeof(Shared)); }

void StampFile::begin(base::Incarnation incarnation) {
  shared_->stamp.store(0);
  shared_->incarnation.store(incarnation.get());
}

base::Incarnation StampFile::incarnation() const {
  return base::Incarnation(shared_->incarnation.load());
}

std::int64_t StampFile::raise() { return shared_->stamp.fetch_add(1) + 1; }

std::int64_t StampFile::stamp() const { return shared_->stamp.load(); }

}  // namespace turnout::store::sqlite
