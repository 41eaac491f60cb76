#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "store/postgres/commit_call.h"
#include "store/postgres/commit_statement.h"
#include "store/postgres/session.h"

namespace turnout::store::postgres {

namespace {

using base::Result;
using track::BlockOutcome;
using track::ContactBlock;

// The rows in the order (contact, entry): all writers lock in that order, and neighbours share
// pages.
std::vector<std::uint32_t> in_order(const ContactBlock& block) {
  std::vector<std::uint32_t> rows(block.rows());
  std::iota(rows.begin(), rows.end(), 0U);
  const auto before = [&](std::uint32_t a, std::uint32_t b) {
    return block.contact[a] != block.contact[b] ? block.contact[a] < block.contact[b]
                                                : block.entry[a] < block.entry[b];
  };
  if (!std::is_sorted(rows.begin(), rows.end(), before)) {
    std::sort(rows.begin(), rows.end(), before);
  }
  return rows;
}

bool touches_contacts(const BlockOutcome& after) {
  return !after.writes.empty() ||
         std::any_of(after.shapes.begin(), after.shapes.end(),
                     [](const track::Shape& shape) { return !shape.tags.empty(); });
}

// One statement writes a contact once. Where several entries of a contact write to it, the n-th
// entry of each contact goes into the n-th round, so that they take effect in order.
std::vector<std::vector<std::uint32_t>> rounds_of(const Commit& commit) {
  std::vector<std::uint32_t> rows = in_order(*commit.before);
  std::vector<std::vector<std::uint32_t>> rounds;
  if (!touches_contacts(*commit.after)) {
    rounds.push_back(std::move(rows));
    return rounds;
  }
  std::size_t round = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool again =
        i > 0 && commit.before->contact[rows[i]] == commit.before->contact[rows[i - 1]];
    round = again ? round + 1 : 0;
    if (round == rounds.size()) {
      rounds.emplace_back();
      rounds.back().reserve(round == 0 ? rows.size() : 0);
    }
    rounds[round].push_back(rows[i]);
  }
  return rounds;
}

// Counts a row of the block as written.
void count(const Commit& commit, std::uint32_t row, CommitResult& result) {
  const BlockOutcome& after = *commit.after;
  const track::Shape& shape = after.shape_of(row);
  ++result.positions;
  result.moves += shape.moves;
  result.actions += static_cast<std::int64_t>(shape.acts.size());
}

// Whether entries have heard something or keep something else than before.
bool hears_or_keeps(const Commit& commit) {
  return (!commit.after->heard.empty() && commit.after->heard != commit.before->heard) ||
         !commit.after->data.empty();
}

// The rows that are not among `moved` (1-based indices in `rows`).
std::vector<std::uint32_t> others(std::span<const std::uint32_t> rows,
                                  const std::vector<std::int32_t>& moved) {
  std::vector<bool> is_moved(rows.size(), false);
  for (const std::int32_t i : moved) {
    is_moved[static_cast<std::size_t>(i) - 1] = true;
  }
  std::vector<std::uint32_t> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!is_moved[i]) {
      out.push_back(rows[i]);
    }
  }
  return out;
}

}  // namespace

Result<Answer> PgSession::run_again(const std::string& text, const Params& params, bool* repeated) {
  constexpr int kAttempts = 5;
  for (int attempt = 1;; ++attempt) {
    Result<Answer> answer = connection_.run(text, params);
    if (answer) {
      return answer;
    }
    const bool again = connection_.should_retry() || connection_.unanswered();
    if (connection_.unanswered() && repeated != nullptr) {
      *repeated = true;
    }
    if (!again || attempt == kAttempts) {
      return answer;
    }
  }
}

// Rows that the statement's first copy has written although its answer never came. Peer,
// incarnation and move numbers say that the journal's row is this peer's; had another block of this
// peer made the same move, counting it here as well would be the caller's only inaccuracy.
Result<void> PgSession::recognise(const Commit& commit, std::span<const std::uint32_t> rows,
                                  CommitResult& result) {
  const Statement statement = recognise_statement(commit, rows);
  TRY(const Answer answer, run_again(statement.text, statement.params));
  std::vector<std::int32_t> written;
  for (int r = 0; r < answer.rows(); ++r) {
    written.push_back(answer.int4(r, 0));
    const std::uint32_t row = rows[static_cast<std::size_t>(written.back()) - 1];
    count(commit, row, result);
  }
  result.stale = others(rows, written);
  if (!written.empty()) {
    result.fenced = false;  // it was not yet when the first copy was carried out
  }
  return base::ok();
}

Result<CommitResult> PgSession::commit_rows(const Commit& commit,
                                            std::span<const std::uint32_t> rows) {
  const bool plain = commit.after->writes.empty() && !hears_or_keeps(commit) &&
                     std::ranges::none_of(commit.after->shapes, &track::Shape::withdraws);
  const Statement statement = plain ? commit_call(commit, rows) : commit_statement(commit, rows);
  bool repeated = false;
  TRY(const Answer answer, run_again(statement.text, statement.params, &repeated));
  CommitResult result;
  result.fenced = !answer.boolean(0, kFenceHeld);
  if (!result.fenced && answer.is_null(0, kMovedRows)) {
    for (const std::uint32_t row : rows) {
      count(commit, row, result);
    }
  } else {
    const std::vector<std::int32_t> moved = answer.int4s(0, kMovedRows);
    for (const std::int32_t i : moved) {
      count(commit, rows[static_cast<std::size_t>(i) - 1], result);
    }
    result.stale = others(rows, moved);
  }
  if (repeated && !result.stale.empty()) {
    const std::vector<std::uint32_t> left = std::move(result.stale);
    TRYV(recognise(commit, left, result));
  }
  if (result.fenced) {
    result.stale.clear();
  }
  return result;
}

Result<CommitResult> PgSession::commit(const Commit& commit) {
  CHECK(commit.before != nullptr && commit.after != nullptr);
  CommitResult total;
  if (commit.before->rows() == 0) {
    return total;
  }
  for (const std::vector<std::uint32_t>& rows : rounds_of(commit)) {
    TRY(CommitResult part, commit_rows(commit, rows));
    total.fenced = total.fenced || part.fenced;
    total.positions += part.positions;
    total.moves += part.moves;
    total.actions += part.actions;
    total.stale.insert(total.stale.end(), part.stale.begin(), part.stale.end());
  }
  std::sort(total.stale.begin(), total.stale.end());
  return total;
}

}  // namespace turnout::store::postgres
