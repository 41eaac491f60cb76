#include "work/block_runner.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace turnout::work {
namespace {

BlockDone failed(std::string problem) {
  BlockDone done;
  done.outcome = BlockDone::Outcome::kFailed;
  done.problem = std::move(problem);
  return done;
}

// True when a row that the block wrote is due at or before the block's own instant.
bool any_due_now(const track::BlockOutcome& outcome, base::Instant now) {
  for (std::size_t row = 0; row < outcome.rows(); ++row) {
    if (outcome.due_at[row] <= now) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::vector<store::BlockItem> left_out(const std::vector<store::BlockItem>& items,
                                       const track::ContactBlock& loaded) {
  std::vector<store::BlockItem> missing;
  if (loaded.rows() == items.size()) {
    return missing;
  }
  std::vector<std::pair<base::ContactId, std::int32_t>> found;
  found.reserve(loaded.rows());
  for (std::size_t row = 0; row < loaded.rows(); ++row) {
    found.emplace_back(loaded.contact[row], loaded.entry[row]);
  }
  std::sort(found.begin(), found.end());
  for (const store::BlockItem& item : items) {
    if (!std::binary_search(found.begin(), found.end(), std::pair(item.contact, item.entry))) {
      missing.push_back(item);
    }
  }
  return missing;
}

base::Result<std::shared_ptr<const TrackEntry>> BlockRunner::entry_for(const BlockTask& task) {
  auto entry = book_.find(task.fence.track);
  if (entry == nullptr || entry->published.version != task.version) {
    TRYV(book_.refresh(*session_));
    entry = book_.find(task.fence.track);
  }
  if (entry == nullptr || entry->published.version != task.version) {
    return base::fail(base::ErrorCode::kConflict,
                      fmt::format("track {} is not at version {} any more", task.fence.track.get(),
                                  task.version.get()));
  }
  if (entry->program == nullptr) {
    return base::fail(base::ErrorCode::kInvalid, entry->problem);
  }
  return entry;
}

BlockDone BlockRunner::run(const BlockTask& task) {
  const base::Tick began = base::boot_now();
  auto entry = entry_for(task);
  if (!entry) {
    return failed(entry.error().message);
  }
  const decide::Program& program = *entry.value()->program;
  block_.clear();
  if (auto loaded = session_->load(task.fence.track, task.items, entry.value()->reads, block_);
      !loaded) {
    return failed(loaded.error().message);
  }
  outcome_.clear();
  program.run(block_, outcome_);

  store::Commit commit;
  commit.fence = task.fence;
  commit.version = task.version;
  commit.peer = self_;
  commit.connection = connection_;
  commit.fields = &program.fields();
  commit.before = &block_;
  commit.after = &outcome_;
  auto committed = session_->commit(commit);
  if (!committed) {
    return failed(committed.error().message);
  }
  BlockDone done;
  done.outcome = committed.value().fenced ? BlockDone::Outcome::kFenced : BlockDone::Outcome::kDone;
  done.moved = committed.value().positions;
  done.moves = committed.value().moves;
  done.actions = committed.value().actions;
  done.stale = left_out(task.items, block_);
  for (const std::uint32_t row : committed.value().stale) {
    done.stale.push_back({block_.contact[row], block_.entry[row], block_.move_no[row]});
  }
  done.more_due = any_due_now(outcome_, block_.now) || !done.stale.empty();
  done.elapsed = base::boot_now() - began;
  return done;
}

}  // namespace turnout::work
