#pragma once

// The `gather contacts` clauses of a track, compiled: which contacts it takes, as SQL for each
// database and, for what cannot be said there, as a test over columns.

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "decide/turns.h"
#include "track/block.h"
#include "track/catalogue.h"
#include "track/numbering.h"
#include "track/track.h"

namespace turnout::decide {

enum class Dialect { kSqlite, kPostgres };

// A condition on the table `contact` under the alias `c`, with `?1`, `?2` … (SQLite) or `$N` …
// (PostgreSQL, counted from `first_parameter`) for `values`. Text values are bound, never spliced.
// Empty text: every contact.
struct SqlCondition {
  std::string text;
  std::vector<track::Value> values;
  bool exact =
      true;  // false: a superset of what is meant; GatherClause::keep must be asked as well
  std::vector<std::string> because;  // then: why, a sentence each
};

// How long after it has stopped a contact may come again, by the track's `enter`: a zero duration
// where it may at once, nullopt where it may not.
std::optional<CalendarDuration> again_after(const track::Track& track);

// One `gather contacts` clause. Immutable; any thread.
class GatherClause {
 public:
  struct Continuous {};
  struct Every {
    track::DurationSpec every;
    std::optional<base::Instant> from;
  };
  struct Once {
    base::Instant at;
  };
  using When = std::variant<Continuous, Every, Once, Turns>;

  GatherClause(GatherClause&&) noexcept;
  GatherClause& operator=(GatherClause&&) noexcept;
  ~GatherClause();

  std::int32_t start_step() const;  // step number
  const When& when() const;
  // What the track's `enter` says as of `now`: who has been on it may come again when it stopped
  // then or earlier; nullopt: never.
  std::optional<base::Instant> may_have_stopped_by(base::Instant now) const;
  // The first run after `last` (kNever: it never ran), or kNever when there is none. Missed runs
  // are made up once. For Continuous: `now` at the start, and then whenever the feed says so. For
  // Turns `last` is what they are counted from at first.
  base::Instant next_run(base::Instant last, base::Instant now) const;
  // As of `now`, which takes the place of `now`, `today` and the like.
  SqlCondition sql(Dialect dialect, base::Instant now, int first_parameter) const;
  // Fields and tags that keep() reads, and that wake continuous gathering when they change.
  const std::vector<track::Field>& fields() const;
  const std::vector<std::string>& tags() const;
  const std::vector<track::OtherPlace>& places() const;
  const std::set<std::string>& events() const;  // of which the block is to bring along all
  // Which rows of a block (columns parallel to fields(), tags to tags(), places to places()) are
  // meant: one byte per row. The same answer as sql() when that is exact.
  void keep(const track::ContactBlock& block, std::vector<std::uint8_t>& out) const;
  // The earliest instant after `now` at which a comparison with the time can change for a contact
  // of the block's row, or kNever. Continuous gathering must look again at it.
  base::Instant next_change(const track::ContactBlock& block, std::size_t row) const;
  // True when the condition compares with the time, or contacts may come again after a time, so
  // that some may be meant without having changed.
  bool depends_on_time() const;

 private:
  friend base::Result<std::vector<GatherClause>> compile_gathers(const track::Track&,
                                                                 const track::Catalogue&,
                                                                 const track::Numbering&);
  struct Impl;
  explicit GatherClause(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

base::Result<std::vector<GatherClause>> compile_gathers(const track::Track& track,
                                                        const track::Catalogue& catalogue,
                                                        const track::Numbering& numbering);

}  // namespace turnout::decide
