#include "store/postgres/commit_call.h"

#include <string_view>
#include <vector>

#include "base/check.h"
#include "store/postgres/commit_statement.h"

namespace turnout::store::postgres {

namespace {

using track::BlockOutcome;
using track::ContactBlock;
using track::Shape;

class Call {
 public:
  Call(const Commit& commit, std::span<const std::uint32_t> rows)
      : commit_(commit), before_(*commit.before), after_(*commit.after), rows_(rows) {
    CHECK(!rows.empty() && before_.rows() == after_.rows() && after_.writes.empty());
  }

  Statement build() {
    s_.params.add(commit_.fence.track.get());
    s_.params.add(commit_.fence.timeline.get());
    s_.params.add(commit_.fence.epoch.get());
    s_.params.add(commit_.version.get());
    s_.params.add(std::string_view(commit_.peer.name.get()));
    s_.params.add(commit_.peer.incarnation.get());
    s_.params.add(commit_.connection);
    positions();
    acts();
    tags();
    tally();
    s_.text = "select held, moved from commit_block_and_tell(";
    for (std::size_t i = 1; i <= s_.params.size(); ++i) {
      s_.text += (i == 1 ? "$" : ", $") + std::to_string(i);
    }
    s_.text += ")";
    return std::move(s_);
  }

 private:
  const Shape& shape_of(std::size_t i) const { return after_.shape_of(rows_[i]); }

  void positions() {
    Params& p = s_.params;
    const std::size_t n = rows_.size();
    p.add_int8s(n, [&](std::size_t i) { return before_.contact[rows_[i]].get(); });
    p.add_int4s(n, [&](std::size_t i) { return before_.entry[rows_[i]]; });
    p.add_int4s(n, [&](std::size_t i) { return before_.move_no[rows_[i]]; });
    p.add_int8s(n, [&](std::size_t i) { return before_.heard[rows_[i]]; });
    p.add_instants(n, [&](std::size_t i) { return before_.due_at[rows_[i]]; });
    p.add_int4s(n, [&](std::size_t i) { return shape_of(i).step; });
    p.add_int2s(n, [&](std::size_t i) { return static_cast<std::int16_t>(shape_of(i).state); });
    p.add_int4s(n, [&](std::size_t i) { return before_.move_no[rows_[i]] + shape_of(i).moves; });
    p.add_instants(n, [&](std::size_t i) { return new_due(before_, after_, rows_[i]); });
    p.add_instants(n, [&](std::size_t i) { return after_.step_at[rows_[i]]; });
    p.add_int8s(n,
                [&](std::size_t i) { return static_cast<std::int64_t>(after_.stayed[rows_[i]]); });
    p.add_int4s(n, [&](std::size_t i) { return after_.shape[rows_[i]] + 1; });
    p.add_texts(n, [&](std::size_t i) { return after_.seen[rows_[i]]; });
    p.add_texts(n, [&](std::size_t i) { return std::string_view(shape_of(i).path_json); });
  }

  // The outbox's rows: each an action of a row of the block.
  void acts() {
    struct Asked {
      std::size_t row;
      std::size_t place;  // among the row's actions
    };
    std::vector<Asked> asked;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      for (std::size_t a = 0; a < shape_of(i).acts.size(); ++a) {
        asked.push_back({i, a});
      }
    }
    const auto act = [&](std::size_t k) -> const Shape::Act& {
      return shape_of(asked[k].row).acts[asked[k].place];
    };
    Params& p = s_.params;
    const std::size_t n = asked.size();
    p.add_int4s(n, [&](std::size_t k) { return static_cast<std::int32_t>(asked[k].row) + 1; });
    p.add_int4s(n,
                [&](std::size_t k) { return before_.move_no[rows_[asked[k].row]] + act(k).move; });
    p.add_int2s(n, [&](std::size_t k) { return act(k).action_no; });
    p.add_int2s(n, [&](std::size_t k) { return static_cast<std::int16_t>(act(k).kind); });
    p.add_int4s(n, [&](std::size_t k) { return act(k).name; });
    p.add_texts(n, [&](std::size_t k) {
      return act(k).has_payload ? after_.payload[rows_[asked[k].row]] : std::string_view();
    });
    p.add_int4s(n, [&](std::size_t k) { return static_cast<std::int32_t>(asked[k].place); });
  }

  void tags() {
    std::vector<std::int32_t> row;
    std::vector<const Shape::Tag*> tag;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      for (const Shape::Tag& one : shape_of(i).tags) {
        row.push_back(static_cast<std::int32_t>(i) + 1);
        tag.push_back(&one);
      }
    }
    s_.params.add_int4s(row.size(), [&](std::size_t k) { return row[k]; });
    s_.params.add_bools(tag.size(), [&](std::size_t k) { return tag[k]->add; });
    s_.params.add_texts(tag.size(), [&](std::size_t k) { return std::string_view(tag[k]->tag); });
  }

  void tally() {
    const std::vector<ShapeCount> counts = shape_counts(after_);
    std::vector<std::int64_t> shape_rows(after_.shapes.size(), 0);
    for (const std::uint32_t row : rows_) {
      ++shape_rows[static_cast<std::size_t>(after_.shape[row])];
    }
    Params& p = s_.params;
    const std::size_t n = counts.size();
    p.add_int8s(shape_rows.size(), [&](std::size_t s) { return shape_rows[s]; });
    p.add_int4s(n, [&](std::size_t c) { return counts[c].shape + 1; });
    p.add_int4s(n, [&](std::size_t c) { return counts[c].count.step; });
    p.add_int4s(n, [&](std::size_t c) { return counts[c].count.rule; });
    p.add_int4s(n, [&](std::size_t c) { return counts[c].count.times; });
  }

  const Commit& commit_;
  const ContactBlock& before_;
  const BlockOutcome& after_;
  const std::span<const std::uint32_t> rows_;
  Statement s_;
};

}  // namespace

Statement commit_call(const Commit& commit, std::span<const std::uint32_t> rows) {
  return Call(commit, rows).build();
}

}  // namespace turnout::store::postgres
