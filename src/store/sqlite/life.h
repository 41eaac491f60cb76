#pragma once

// The lives and stamps of peers on an SQLite database, in a folder of small files beside it:
// `<database>-life/`.
//
//   NAME.INCARNATION   held by an open-file-description lock as long as the peer's process lives;
//   the operating system drops
//                      it with the process. A life whose file is not there has ended.
//   NAME.stamp         two numbers in shared memory: incarnation and stamp. So a stamp neither
//   waits for the writers' lock of
//                      the database nor for the disk.
//
// Names are written with letters, digits, '-' and '.' as they are and everything else as %XX.

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "store/types.h"

namespace turnout::store::sqlite {

// A held life lock. Dropped with the object (or the process).
class Life {
 public:
  // kConflict when somebody holds it.
  static base::Result<std::unique_ptr<Life>> begin(const std::string& folder, const PeerId& peer);
  ~Life();
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  // True when the life's lock can be had, or its file is gone.
  static base::Result<bool> has_ended(const std::string& folder, const PeerId& peer);

 private:
  Life(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  const int fd_;
  const std::string path_;
};

// The stamp of one name, mapped into memory. May be used by several processes at once.
class StampFile {
 public:
  static base::Result<std::unique_ptr<StampFile>> open(const std::string& folder,
                                                       const base::PeerName& name);
  ~StampFile();
  StampFile(const StampFile&) = delete;
  StampFile& operator=(const StampFile&) = delete;

  // A new life stamps from 0.
  void begin(base::Incarnation incarnation);
  base::Incarnation incarnation() const;
  // Raises the stamp and returns it.
  std::int64_t raise();
  std::int64_t stamp() const;

 private:
  struct Shared;
  explicit StampFile(Shared* shared) : shared_(shared) {}
  Shared* const shared_;
};

// Makes the folder of a database if it is not there, and names it.
base::Result<std::string> life_folder(const std::string& database);

}  // namespace turnout::store::sqlite
