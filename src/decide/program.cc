#include "decide/program.h"

#include <algorithm>

#include "base/check.h"
#include "decide/compiled.h"
#include "decide/reschedule.h"
#include "decide/scopes.h"

namespace turnout::decide {
namespace {

bool reads_one(const Reads& reads, const Facts& changed) {
  const auto any = [](const std::vector<std::size_t>& some, const std::set<std::size_t>& read) {
    return std::ranges::any_of(some, [&](std::size_t what) { return read.contains(what); });
  };
  return any(changed.fields, reads.fields) || any(changed.tags, reads.tags) ||
         any(changed.places, reads.places);
}

// Where another track's request puts a contact, if it is for this track.
std::optional<std::int32_t> put_on_at(const CompiledTrack& compiled,
                                      const track::BlockEvent& event) {
  if (text_of(event, "track") != compiled.name) {
    return std::nullopt;
  }
  const std::optional<std::string> at = text_of(event, "at");
  if (!at || at->empty()) {
    return compiled.first_step;
  }
  const auto step = std::ranges::find(compiled.steps, *at, &CompiledStep::name);
  return step == compiled.steps.end() || step->number == track::kHeldOutStep
             ? std::nullopt
             : std::optional(step->number);
}

}  // namespace

struct Program::Impl {
  CompiledTrack compiled;
};

bool Facts::meets(const Facts& others) const {
  const auto meet = [](const std::vector<std::size_t>& a, const std::vector<std::size_t>& b) {
    return std::ranges::find_first_of(a, b) != a.end();
  };
  return meet(fields, others.fields) || meet(tags, others.tags) || meet(places, others.places);
}

void Facts::add(const Facts& others) {
  fields.insert(fields.end(), others.fields.begin(), others.fields.end());
  tags.insert(tags.end(), others.tags.begin(), others.tags.end());
  places.insert(places.end(), others.places.begin(), others.places.end());
}

base::Result<Program> Program::compile(const track::Track& track, const track::Catalogue& catalogue,
                                       const track::Numbering& numbering, base::TrackId id,
                                       base::Version version) {
  TRY(CompiledTrack compiled, compile_track(track, catalogue, numbering, id, version));
  return Program(std::make_unique<const Impl>(Impl{std::move(compiled)}));
}

Program::Program(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;
Program::~Program() = default;

const std::vector<track::Field>& Program::fields() const { return impl_->compiled.columns.fields; }
const std::vector<std::string>& Program::tags() const { return impl_->compiled.columns.tags; }
const std::vector<track::OtherPlace>& Program::places() const {
  return impl_->compiled.columns.places;
}
const std::vector<StepListens>& Program::listens() const { return impl_->compiled.listens; }
base::Version Program::version() const { return impl_->compiled.version; }
base::TrackId Program::track() const { return impl_->compiled.id; }
std::int32_t Program::first_step() const { return impl_->compiled.first_step; }
const std::set<std::string>& Program::events() const { return impl_->compiled.columns.events; }
const std::set<std::string>& Program::recalls() const { return impl_->compiled.columns.recalled; }
bool Program::keeps_data() const { return impl_->compiled.columns.scopes; }

std::optional<std::int32_t> Program::admits(track::ContactBlock& block, std::size_t row,
                                            const track::BlockEvent& event) const {
  const CompiledTrack& compiled = impl_->compiled;
  if (!compiled.gathering_events.contains(event.name)) {
    return std::nullopt;
  }
  Rows rows(block, compiled.columns.zone);
  Scopes scopes(compiled.columns, block, rows);
  rows.set_scopes(&scopes);
  scopes.offer(row, &event);
  for (const CompiledRule& leave : compiled.leaves) {
    if (leave.head == CompiledRule::Head::kWhen && test(leave.condition, rows, row, block.now)) {
      return std::nullopt;
    }
  }
  if (event.name == track::kPutOnEvent) {
    return put_on_at(compiled, event);
  }
  for (const CompiledRule& gather : compiled.gathers_on) {
    if (gather.event == event.name &&
        (!gather.where || test(*gather.where, rows, row, block.now))) {
      return compiled.steps[gather.move.step].number;
    }
  }
  return std::nullopt;
}

const std::set<std::string>& Program::gathering_events() const {
  return impl_->compiled.gathering_events;
}

bool Program::is_taken_off_by(const track::BlockEvent& event) const {
  return text_of(event, "track") == impl_->compiled.name;
}

std::string Program::data_of(const track::BlockEvent& event) const {
  return keeps_data() && event.name != track::kPutOnEvent ? decide::data_of(event) : "";
}

std::optional<std::string> Program::entry_key(const track::BlockEvent& event) const {
  const std::optional<std::string>& property = impl_->compiled.for_each;
  return property ? std::optional(property_text(event, *property)) : std::nullopt;
}

std::optional<base::Instant> Program::may_have_stopped_by(base::Instant now) const {
  const std::optional<CalendarDuration>& again = impl_->compiled.again_after;
  return again ? std::optional(impl_->compiled.columns.zone.own.add(now, *again, -1))
               : std::nullopt;
}

std::uint64_t Program::woken_rules(std::int32_t step, const Facts& changed) const {
  const std::size_t index = impl_->compiled.step_index(step);
  if (index == kNoStep) {
    return 0;
  }
  const std::vector<CompiledRule>& rules = impl_->compiled.steps[index].rules;
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < std::min(rules.size(), kMaxStayRule); ++i) {
    if (reads_one(rules[i].reads, changed)) {
      bits |= std::uint64_t{1} << i;
    }
  }
  return bits;
}

bool Program::leaves() const { return !impl_->compiled.leaves.empty(); }

bool Program::wakes_closed(std::uint64_t stayed, const Facts& changed) const {
  const CompiledTrack& compiled = impl_->compiled;
  if (reads_one(compiled.leave_reads, changed)) {
    return true;
  }
  const auto reads = [&](std::size_t field) {
    return std::ranges::find(changed.fields, field) != changed.fields.end();
  };
  return std::ranges::any_of(compiled.following, [&](const CompiledDue& due) {
    return due.mark == stayed &&
           (reads(due.time.field) || (compiled.columns.zone.field && reads_zone(due) &&
                                      reads(*compiled.columns.zone.field)));
  });
}

std::optional<std::uint64_t> Program::rescheduled(track::ContactBlock& block, std::size_t row,
                                                  std::int32_t from, std::int32_t rule,
                                                  base::Instant moved_at) const {
  return reschedule(impl_->compiled, block, row, {from, rule, moved_at});
}

void Program::run(track::ContactBlock& block, track::BlockOutcome& out) const {
  run_passage(impl_->compiled, block, out);
}

}  // namespace turnout::decide
