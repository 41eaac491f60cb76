#pragma once

// Carries out one block of work: reads the contacts' columns, decides, commits in one transaction.
// Cost per block, not per contact: a constant number of statements.

#include <cstdint>
#include <memory>
#include <vector>

#include "store/store.h"
#include "work/track_book.h"

namespace turnout::work {

struct BlockTask {
  store::Fence fence;
  base::Version version;
  std::vector<store::BlockItem> items;
};

struct BlockDone {
  enum class Outcome {
    kDone,    // committed; contacts that had gone elsewhere are in `stale`
    kFenced,  // the ledger has moved on; nothing was written
    kFailed,  // the database could not be reached, or the track cannot be run here; `problem` says
              // why
  };
  Outcome outcome = Outcome::kDone;
  std::int64_t moved = 0;  // contacts that moved
  std::int64_t moves = 0;
  std::int64_t actions = 0;
  bool more_due = false;  // some contact is due again at once
  std::vector<store::BlockItem> stale;
  base::Duration elapsed{0};
  std::string problem;
};

// The items that Session::load() has left out: they were not where the block said.
std::vector<store::BlockItem> left_out(const std::vector<store::BlockItem>& items,
                                       const track::ContactBlock& loaded);

// One per worker thread; not thread-safe. Keeps its buffers from block to block.
class BlockRunner {
 public:
  // `book` must outlive the runner. `connection` tells the tally rows of connections apart that
  // commit at the same time.
  BlockRunner(std::unique_ptr<store::Session> session, TrackBook& book, store::PeerId self,
              std::int32_t connection)
      : session_(std::move(session)),
        book_(book),
        self_(std::move(self)),
        connection_(connection) {}

  BlockDone run(const BlockTask& task);

 private:
  base::Result<std::shared_ptr<const TrackEntry>> entry_for(const BlockTask& task);

  std::unique_ptr<store::Session> session_;
  TrackBook& book_;
  const store::PeerId self_;
  const std::int32_t connection_;
  track::ContactBlock block_;
  track::BlockOutcome outcome_;
};

}  // namespace turnout::work
