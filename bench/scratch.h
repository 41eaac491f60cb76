#pragma once

// Databases that a benchmark makes, copies and drops.

#include <cstdint>
#include <memory>
#include <string>

#include "store/store.h"

namespace turnout::bench {

// Prints the message and ends the process: a benchmark that goes wrong has no figures.
[[noreturn]] void fail(const std::string& message);

// One database, dropped with its object. Not thread-safe.
class Scratch {
 public:
  // `server`: "sqlite:FOLDER", or a PostgreSQL URI whose database serves for creating others.
  // `name`: letters, digits, _.
  Scratch(const std::string& server, std::string name);
  // A copy of another, which nobody may use at the moment.
  Scratch(const Scratch& other, std::string name);
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();

  bool is_sqlite() const;
  std::string url() const;   // for store::open_store
  std::string path() const;  // of the file, with SQLite
  std::unique_ptr<store::Store> open() const;
  // The earliest instant in the journal, in microseconds since 1970.
  std::int64_t first_journal_us() const;

 private:
  void drop();

  std::string server_;
  std::string name_;
};

}  // namespace turnout::bench
