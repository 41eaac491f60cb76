#pragma once

// The limit that the engine is measured against: a plain program that makes the same writes in the
// same tables and keys with the same durability, and nothing else. It decides nothing while the
// time runs: outcomes are computed beforehand, rows go in blocks of 5,000, one transaction each;
// two connections on PostgreSQL, one on SQLite. It has no fence, no other peers, no reads of
// contacts.

#include <cstdint>
#include <string>
#include <vector>

#include "bench/scratch.h"
#include "bench/welcome5_prepare.h"
#include "track/block.h"

namespace turnout::bench {

inline constexpr std::size_t kLimitBlock = 5'000;
inline constexpr int kLimitConnections = 2;  // on PostgreSQL

// Rows that commit together.
struct LimitBlock {
  std::vector<std::int64_t> contact;
  std::vector<std::int32_t> move_no;  // before
  std::vector<std::int64_t> old_due;  // microseconds since 1970
  std::int64_t now = 0;               // written as the time of the moves, and as the new due time
  track::BlockOutcome outcome;
};

// What one connection writes, in order.
struct LimitWork {
  std::int32_t track = 0;
  std::int32_t version = 0;
  std::vector<LimitBlock> blocks;

  const track::Shape& shape(const LimitBlock& block, std::size_t row) const {
    return block.outcome.shape_of(row);
  }
};

// Times due by contact id, and the counts of contact tags; read outside the measured time.
std::vector<std::int64_t> read_due_postgres(const std::string& url, std::int32_t track,
                                            std::int64_t n);
std::vector<std::int64_t> read_due_sqlite(const std::string& path, std::int32_t track,
                                          std::int64_t n);
std::int64_t count_tags_postgres(const std::string& url);
std::int64_t count_tags_sqlite(const std::string& path);

// Seconds from the first block to the last commit. They end the process when a row was not where it
// should be.
double limit_postgres(const std::string& url, const std::vector<LimitWork>& work);
double limit_sqlite(const std::string& path, const LimitWork& work);

// Both of it: computes the outcomes, writes them, checks the counts. Gives the seconds. `scratch`
// holds what prepare() has made; afterwards the track has run to its end.
double run_limit(const Scratch& scratch, const Prepared& prepared, bool hops);

}  // namespace turnout::bench
