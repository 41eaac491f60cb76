#include "decide/gather.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "decide/condition.h"
#include "decide/leave.h"
#include "decide/row.h"
#include "decide/scopes.h"
#include "decide/select.h"
#include "decide/sql.h"

namespace turnout::decide {
namespace {

using base::Instant;
using base::Result;
using track::kNever;

}  // namespace

struct GatherClause::Impl {
  std::int32_t start_step = 0;
  When when;
  CalendarDuration every;
  std::optional<CalendarDuration> again_after;  // nothing: at once
  Columns columns;
  std::optional<Node> where;
  Reads reads;
};

namespace {

Result<Instant> instant_of(const track::DateTime& at, const Zone& own) {
  if (!at.zone) {
    return own.instant(at.date, at.time.seconds);
  }
  const std::optional<Zone> zone = Zone::find(*at.zone);
  if (!zone) {
    return invalid(at.span, fmt::format("\"{}\" is not a time zone", *at.zone));
  }
  return zone->instant(at.date, at.time.seconds);
}

class GatherCompiler {
 public:
  GatherCompiler(const track::Track& track, const track::Catalogue& catalogue,
                 const track::Numbering& numbering)
      : track_(track), catalogue_(catalogue), numbering_(numbering) {}

  template <class Impl>
  Result<void> compile(const track::Gather& gather, Impl& impl) {
    const auto* const contacts = std::get_if<track::GatherContacts>(&gather.what);
    if (contacts == nullptr || gather.for_each) {
      return invalid(gather.span, "only `gather contacts` runs yet, without `for each`");
    }
    TRY(impl.start_step, start_step(gather));
    TRYV(compile_where(*contacts, impl, true));
    if (impl.columns.zone.field && !(impl.where && depends_on_zone(*impl.where))) {
      // The zone of a contact changes nothing here, so it is not read.
      TRYV(compile_where(*contacts, impl, false));
    }
    impl.again_after = again_after(track_);
    impl.columns.catalogue = nullptr;
    return schedule(*contacts, impl);
  }

 private:
  Result<std::int32_t> start_step(const track::Gather& gather) {
    const std::vector<const track::Step*> steps = track_.steps();
    if (steps.empty()) {
      return invalid(gather.span, "a track needs at least one step");
    }
    const std::string& name = gather.start_at ? gather.start_at->text : steps.front()->name.text;
    const auto number = numbering_.steps.find(name);
    if (number == numbering_.steps.end()) {
      return invalid(gather.span, fmt::format("step \"{}\" does not exist", name));
    }
    return number->second;
  }

  template <class Impl>
  Result<void> compile_where(const track::GatherContacts& contacts, Impl& impl, bool zones) {
    impl.columns = {};
    impl.reads = {};
    impl.columns.catalogue = &catalogue_;
    TRY(impl.columns.zone, compile_zone(track_, impl.columns));
    if (!zones) {
      impl.columns.fields.clear();
      impl.columns.zone.field.reset();
    }
    impl.where.reset();
    Node all;  // and nobody who would leave again at once
    if (contacts.where) {
      TRY(Node where, compile_condition(*contacts.where, impl.columns));
      all.children.push_back(std::move(where));
    }
    TRY(std::vector<LeaveCondition> leaves, compile_leaves(track_, impl.columns));
    for (LeaveCondition& leave : leaves) {
      if (std::holds_alternative<track::Leave::When>(leave.clause->why)) {
        leave.condition.negated = !leave.condition.negated;
        all.children.push_back(std::move(leave.condition));
      }
    }
    if (!all.children.empty()) {
      impl.where = all.children.size() == 1 ? Node(all.children.front()) : std::move(all);
      collect_reads(*impl.where, impl.columns.zone, impl.reads);
    }
    return base::ok();
  }

  template <class Impl>
  Result<void> schedule(const track::GatherContacts& contacts, Impl& impl) {
    const Zone& own = impl.columns.zone.own;
    if (std::holds_alternative<track::Continuously>(contacts.schedule)) {
      impl.when = GatherClause::Continuous{};
      return base::ok();
    }
    if (const auto* const once = std::get_if<track::OnceAt>(&contacts.schedule)) {
      TRY(const Instant at, instant_of(once->at, own));
      impl.when = GatherClause::Once{at};
      return base::ok();
    }
    if (const auto* const days = std::get_if<track::EveryDays>(&contacts.schedule)) {
      impl.when = Turns(WeeklyTurns{days->days, days->at.seconds});
      return base::ok();
    }
    if (const auto* const month = std::get_if<track::EveryMonth>(&contacts.schedule)) {
      impl.when = Turns(MonthlyTurns{static_cast<std::int32_t>(month->day), month->at.seconds});
      return base::ok();
    }
    if (const auto* const rule = std::get_if<track::Rrule>(&contacts.schedule)) {
      auto parsed = RecurrenceRule::parse(rule->rule.text);
      if (!parsed) {
        return invalid(rule->rule.span, parsed.error().message);
      }
      impl.when = Turns(std::move(parsed).value());
      return base::ok();
    }
    const auto* const every = std::get_if<track::EveryDuration>(&contacts.schedule);
    CHECK(every != nullptr);
    impl.every = to_calendar(every->every);
    if (impl.every.zero()) {
      return invalid(every->every.span, "the time between two runs must be more than nothing");
    }
    GatherClause::Every when{every->every, std::nullopt};
    if (every->from) {
      TRY(when.from, instant_of(*every->from, own));
    }
    impl.when = std::move(when);
    return base::ok();
  }

  const track::Track& track_;
  const track::Catalogue& catalogue_;
  const track::Numbering& numbering_;
};

}  // namespace

std::optional<CalendarDuration> again_after(const track::Track& track) {
  for (const track::Clause& clause : track.clauses) {
    const auto* const enter = std::get_if<track::Enter>(&clause);
    if (enter != nullptr && enter->kind != track::Enter::Kind::kOnce) {
      return enter->after ? to_calendar(*enter->after) : CalendarDuration{};
    }
  }
  return std::nullopt;
}

GatherClause::GatherClause(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
GatherClause::GatherClause(GatherClause&&) noexcept = default;
GatherClause& GatherClause::operator=(GatherClause&&) noexcept = default;
GatherClause::~GatherClause() = default;

std::int32_t GatherClause::start_step() const { return impl_->start_step; }
const GatherClause::When& GatherClause::when() const { return impl_->when; }
const std::vector<track::Field>& GatherClause::fields() const { return impl_->columns.fields; }
const std::vector<std::string>& GatherClause::tags() const { return impl_->columns.tags; }
const std::vector<track::OtherPlace>& GatherClause::places() const { return impl_->columns.places; }
const std::set<std::string>& GatherClause::events() const { return impl_->columns.events; }
bool GatherClause::depends_on_time() const {
  const std::optional<CalendarDuration>& again = impl_->again_after;
  return impl_->reads.time || (again && !again->zero());
}

std::optional<Instant> GatherClause::may_have_stopped_by(Instant now) const {
  const std::optional<CalendarDuration>& again = impl_->again_after;
  if (!again) {
    return std::nullopt;
  }
  return impl_->columns.zone.own.add(now, *again, -1);
}

Instant GatherClause::next_run(Instant last, Instant now) const {
  const bool never = last == kNever;
  if (std::holds_alternative<Continuous>(impl_->when)) {
    return never ? now : kNever;
  }
  if (const auto* const once = std::get_if<Once>(&impl_->when)) {
    return never || last < once->at ? once->at : kNever;
  }
  if (const auto* const turns = std::get_if<Turns>(&impl_->when)) {
    return next_turn(*turns, impl_->columns.zone.own, never ? now : last);
  }
  const auto& every = std::get<Every>(impl_->when);
  if (never) {
    return every.from.value_or(now);
  }
  return next_round(impl_->columns.zone.own, every.from.value_or(last), impl_->every, last);
}

SqlCondition GatherClause::sql(Dialect dialect, Instant now, int first_parameter) const {
  const std::optional<Node>& where = impl_->where;
  if (!where) {
    return {};
  }
  return to_sql(*where, impl_->columns, dialect, now, first_parameter);
}

void GatherClause::keep(const track::ContactBlock& block, std::vector<std::uint8_t>& out) const {
  const std::size_t count = block.rows();
  const std::optional<Node>& where = impl_->where;
  if (!where) {
    out.assign(count, 1);
    return;
  }
  CHECK(block.columns.size() == fields().size());
  CHECK(block.tags.size() == tags().size());
  CHECK(block.places.size() == places().size());
  Rows rows(block, impl_->columns.zone);
  Scopes scopes(impl_->columns, block, rows);
  rows.set_scopes(&scopes);
  std::vector<RowNumber> rest(count);
  std::vector<RowNumber> met(count);
  for (std::size_t row = 0; row < count; ++row) {
    rest[row] = static_cast<RowNumber>(row);
  }
  const std::size_t kept = split(*where, rows, rest.data(), count, met.data(), rest.data());
  out.assign(count, 0);
  for (std::size_t i = 0; i < kept; ++i) {
    out[met[i]] = 1;
  }
}

Instant GatherClause::next_change(const track::ContactBlock& block, std::size_t row) const {
  if (!impl_->reads.time) {
    return kNever;
  }
  const std::optional<Node>& where = impl_->where;
  CHECK(where.has_value());
  const Rows rows(block, impl_->columns.zone);
  return decide::next_change(*where, rows, row, block.now);
}

Result<std::vector<GatherClause>> compile_gathers(const track::Track& track,
                                                  const track::Catalogue& catalogue,
                                                  const track::Numbering& numbering) {
  GatherCompiler compiler(track, catalogue, numbering);
  std::vector<GatherClause> clauses;
  for (const track::Clause& clause : track.clauses) {
    const auto* const gather = std::get_if<track::Gather>(&clause);
    if (gather != nullptr && std::holds_alternative<track::GatherContacts>(gather->what)) {
      auto impl = std::make_unique<GatherClause::Impl>();
      TRYV(compiler.compile(*gather, *impl));
      clauses.push_back(GatherClause(std::move(impl)));
    }
  }
  return clauses;
}

}  // namespace turnout::decide
