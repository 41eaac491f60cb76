#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include "decide/compile_actions.h"
#include "decide/compiled.h"
#include "decide/gather.h"
#include "decide/leave.h"

namespace turnout::decide {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

class TrackCompiler {
 public:
  TrackCompiler(const track::Track& track, const track::Catalogue& catalogue,
                const track::Numbering& numbering, base::TrackId id, base::Version version)
      : track_(track), numbering_(numbering), steps_(track.steps()) {
    result_.id = id;
    result_.version = version;
    result_.columns.catalogue = &catalogue;
    result_.columns.track = id;
  }

  Result<CompiledTrack> compile() {
    TRY(result_.columns.zone, compile_zone(track_, result_.columns));
    if (steps_.empty()) {
      return fail(ErrorCode::kInvalid, "a track needs at least one step");
    }
    TRYV(number_steps());
    name_arms();
    TRYV(leaves());
    for (const track::Step* const source : steps_) {
      TRYV(step(*source));
    }
    TRYV(hold_out());
    TRYV(gathers_on());
    // Which tags are tested is known only now.
    for (CompiledStep& step : result_.steps) {
      for (CompiledRule& rule : step.rules) {
        for (CompiledAction& action : rule.actions) {
          const auto& tags = result_.columns.tags;
          const auto found = std::find(tags.begin(), tags.end(), action.tag.tag);
          if (action.kind == CompiledAction::Kind::kTag && found != tags.end()) {
            action.tested_tag = static_cast<std::size_t>(found - tags.begin());
          }
        }
      }
    }
    std::ranges::sort(result_.following, {}, &CompiledDue::mark);
    std::sort(result_.written.begin(), result_.written.end());
    result_.written.erase(std::unique(result_.written.begin(), result_.written.end()),
                          result_.written.end());
    result_.columns.catalogue = nullptr;  // the caller's, and no longer needed
    return std::move(result_);
  }

 private:
  Result<void> number_steps() {
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      const auto number = numbering_.steps.find(steps_[i]->name.text);
      if (number == numbering_.steps.end() || number->second < 0) {
        return invalid(steps_[i]->name.span,
                       fmt::format("step \"{}\" has no number", steps_[i]->name.text));
      }
      const auto at = static_cast<std::size_t>(number->second);
      if (at >= result_.step_of_number.size()) {
        result_.step_of_number.resize(at + 1, kNoStep);
      }
      result_.step_of_number[at] = i;
      if (!index_.emplace(steps_[i]->name.text, i).second) {
        return invalid(steps_[i]->name.span,
                       fmt::format("there are two steps \"{}\"", steps_[i]->name.text));
      }
    }
    return base::ok();
  }

  void name_arms() {
    for (const track::Step* const step : steps_) {
      double share = 0;
      for (const track::Rule& rule : step->rules) {
        if (const auto* const arm = std::get_if<track::Share>(&rule.head)) {
          const double low = share;
          share += hundredths(arm->percent);
          if (arm->as) {
            result_.columns.arms.emplace(arm->as->text,
                                         Arm{numbering_.steps.at(step->name.text), low, share});
          }
        }
      }
    }
  }

  // Percentages have two decimals, so their sums are whole hundredths.
  static double hundredths(double percent) { return std::round(percent * 100); }

  Result<void> leaves() {
    TRY(std::vector<LeaveCondition> conditions, compile_leaves(track_, result_.columns));
    Reads& reads = result_.leave_reads;
    for (LeaveCondition& from : conditions) {
      CompiledRule leave;
      if (const auto* const on = std::get_if<track::Leave::On>(&from.clause->why)) {
        leave.head = CompiledRule::Head::kOn;
        TRYV(hear(on->event.text, on->where, leave));
      } else {
        leave.head = CompiledRule::Head::kWhen;
        leave.condition = std::move(from.condition);
        collect_reads(leave.condition, result_.columns.zone, leave.reads);
      }
      reads.fields.insert(leave.reads.fields.begin(), leave.reads.fields.end());
      reads.tags.insert(leave.reads.tags.begin(), leave.reads.tags.end());
      reads.places.insert(leave.reads.places.begin(), leave.reads.places.end());
      if (leave.head == CompiledRule::Head::kWhen) {
        reads.events.insert(leave.reads.events.begin(), leave.reads.events.end());
      }
      reads.time = reads.time || leave.reads.time;
      leave.tested.assign(reads.fields.begin(), reads.fields.end());
      const std::optional<track::Name>& as = from.clause->as;
      TRY(leave.move, stop(as ? as->text : track::kLeft, from.clause->span));
      result_.leaves.push_back(std::move(leave));
    }
    return base::ok();
  }

  // The step of those who are held out comes last, and is there even when nobody is held out any
  // more, for those who were.
  Result<void> hold_out() {
    CompiledStep step;
    step.number = track::kHeldOutStep;
    step.name = track::kHeldOut;
    step.timed = result_.leave_reads.time;
    step.tested.assign(result_.leave_reads.fields.begin(), result_.leave_reads.fields.end());
    for (const track::Clause& clause : track_.clauses) {
      if (const auto* const source = std::get_if<track::HoldOut>(&clause)) {
        CompiledRule arm;
        arm.head = CompiledRule::Head::kShare;
        arm.share_high = hundredths(source->percent);
        arm.tested = step.tested;
        arm.move.step = result_.steps.size();
        result_.hold_out = std::move(arm);
        CompiledRule end;
        end.head = CompiledRule::Head::kAfter;
        end.after = source->duration ? to_calendar(*source->duration) : CalendarDuration{0, 30, {}};
        read_clock(end, end.after.calendar());
        end.tested = step.tested;
        TRY(end.move, stop(source->as.text, source->span));
        step.reads = end.reads;
        step.timed = true;
        step.rules.push_back(std::move(end));
      }
    }
    if (result_.step_of_number.empty()) {
      result_.step_of_number.resize(1, kNoStep);
    }
    result_.step_of_number[track::kHeldOutStep] = result_.steps.size();
    add_step(std::move(step));
    return base::ok();
  }

  Result<void> gathers_on() {
    bool first = true;
    result_.again_after = again_after(track_);
    result_.name = track_.name.text;
    result_.gathering_events.insert(track::kPutOnEvent);
    result_.first_step = result_.steps.front().number;
    for (const track::Clause& clause : track_.clauses) {
      const auto* const gather = std::get_if<track::Gather>(&clause);
      if (gather == nullptr) {
        continue;
      }
      TRY(const std::size_t start, start_of(*gather));
      if (first) {
        result_.first_step = result_.steps[start].number;
      }
      first = false;
      if (const auto* const on = std::get_if<track::GatherOn>(&gather->what)) {
        CompiledRule entry;
        TRYV(hear(on->event.text, on->where, entry));
        entry.move.step = start;
        result_.gathering_events.insert(on->event.text);
        result_.gathers_on.push_back(std::move(entry));
        if (gather->for_each) {
          TRYV(tell_apart(*gather->for_each));
        }
      }
    }
    return base::ok();
  }

  Result<std::size_t> start_of(const track::Gather& gather) const {
    if (!gather.start_at) {
      return std::size_t{0};
    }
    const auto target = index_.find(gather.start_at->text);
    if (target == index_.end()) {
      return invalid(gather.start_at->span,
                     fmt::format("step \"{}\" does not exist", gather.start_at->text));
    }
    return target->second;
  }

  Result<void> tell_apart(const track::FieldRef& by) {
    const auto name = scoped_name(by.name);
    if (!name || name->scope != Scope::kEvent) {
      return invalid(by.span, "`for each` behind `gather on` names a property of the event");
    }
    result_.for_each = name->name;
    return base::ok();
  }

  // What it and the `leave` clauses read wakes who waits on it.
  void add_step(CompiledStep step) {
    const auto both = [](const std::set<std::size_t>& own, const std::set<std::size_t>& leave) {
      std::vector<std::size_t> all;
      std::ranges::set_union(own, leave, std::back_inserter(all));
      return all;
    };
    const Reads& leave = result_.leave_reads;
    result_.listens.push_back(
        {step.number,
         {both(step.reads.fields, leave.fields), both(step.reads.tags, leave.tags),
          both(step.reads.places, leave.places)}});
    result_.steps.push_back(std::move(step));
  }

  Result<void> step(const track::Step& source) {
    CompiledStep step;
    step.number = numbering_.steps.at(source.name.text);
    step.name = source.name.text;
    if (source.check_every) {
      step.check = to_calendar(*source.check_every);
    }
    double share = 0;
    std::set<std::size_t> tested = result_.leave_reads.fields;
    for (std::size_t i = 0; i < source.rules.size(); ++i) {
      TRY(CompiledRule compiled, rule(source.rules[i], share));
      if (compiled.move.kind == CompiledMove::Kind::kStay) {
        step.stays = true;
        if (i >= kMaxStayRule) {
          return invalid(source.rules[i].span,
                         fmt::format("only the first {} rules of a step may stay", kMaxStayRule));
        }
      }
      if (compiled.move.kind == CompiledMove::Kind::kWait && compiled.move.due.follows()) {
        result_.following.push_back(compiled.move.due);
      }
      step.timed = step.timed || compiled.reads.time;
      tested.insert(compiled.reads.fields.begin(), compiled.reads.fields.end());
      tested.insert(compiled.on_reads.fields.begin(), compiled.on_reads.fields.end());
      compiled.tested.assign(tested.begin(), tested.end());
      step.reads.fields.insert(compiled.reads.fields.begin(), compiled.reads.fields.end());
      step.reads.tags.insert(compiled.reads.tags.begin(), compiled.reads.tags.end());
      step.reads.places.insert(compiled.reads.places.begin(), compiled.reads.places.end());
      if (compiled.head == CompiledRule::Head::kWhen) {
        step.reads.events.insert(compiled.reads.events.begin(), compiled.reads.events.end());
      }
      step.rules.push_back(std::move(compiled));
    }
    step.tested.assign(tested.begin(), tested.end());
    for (CompiledRule& rule : step.rules) {
      // It is met because the others are not, so what they read is what it reads.
      if (rule.head == CompiledRule::Head::kOtherwise) {
        rule.reads = step.reads;
        rule.reads.time = step.timed;
      }
    }
    step.timed = step.timed || step.check || result_.leave_reads.time;
    add_step(std::move(step));
    return base::ok();
  }

  Result<CompiledRule> rule(const track::Rule& source, double& share) {
    CompiledRule rule;
    TRYV(head(source, share, rule));
    for (const track::Action& from : source.actions) {
      TRY(CompiledAction action,
          compile_action(from, result_.columns, numbering_, result_.written));
      action.act.action_no = static_cast<std::int16_t>(rule.actions.size() + 1);
      rule.actions.push_back(std::move(action));
    }
    TRY(rule.move, move(source));
    return rule;
  }

  Result<void> head(const track::Rule& source, double& share, CompiledRule& rule) {
    if (const auto* const when = std::get_if<track::When>(&source.head)) {
      rule.head = CompiledRule::Head::kWhen;
      TRY(rule.condition, compile_condition(when->condition, result_.columns));
      collect_reads(rule.condition, result_.columns.zone, rule.reads);
      return base::ok();
    }
    if (const auto* const after = std::get_if<track::After>(&source.head)) {
      rule.head = CompiledRule::Head::kAfter;
      rule.after = to_calendar(after->duration);
      read_clock(rule, rule.after.calendar());
      return base::ok();
    }
    if (const auto* const once = std::get_if<track::OnceAt>(&source.head)) {
      rule.head = CompiledRule::Head::kOnceAt;
      TRY(rule.once_at, compile_operand({once->at, once->at.span}, result_.columns));
      read_clock(rule, rule.once_at.kind == Term::Kind::kLocalTime);
      return base::ok();
    }
    if (const auto* const every = std::get_if<track::EveryDays>(&source.head)) {
      rule.head = CompiledRule::Head::kEvery;
      rule.every = {every->days, every->at.seconds};
      read_clock(rule, true);
      return base::ok();
    }
    if (const auto* const arm = std::get_if<track::Share>(&source.head)) {
      rule.head = CompiledRule::Head::kShare;
      rule.share_low = share;
      share += hundredths(arm->percent);
      rule.share_high = share;
      return base::ok();
    }
    if (std::holds_alternative<track::Otherwise>(source.head)) {
      rule.head = CompiledRule::Head::kOtherwise;
      return base::ok();
    }
    const auto& on = std::get<track::OnEvent>(source.head);
    rule.head = CompiledRule::Head::kOn;
    TRYV(hear(on.event.text, on.where, rule));
    return base::ok();
  }

  // The rule is met by an event of that name that meets the condition.
  Result<void> hear(const std::string& event, const std::optional<track::Condition>& where,
                    CompiledRule& rule) {
    rule.event = event;
    result_.columns.events.insert(event);
    result_.columns.scopes = true;
    rule.reads.events.insert(event);
    if (where) {
      TRY(Node condition, compile_condition(*where, result_.columns));
      // What it reads is looked at when the event comes, and wakes nobody.
      collect_reads(condition, result_.columns.zone, rule.on_reads);
      rule.where = std::move(condition);
    }
    return base::ok();
  }

  // Of a rule that the time brings about; `local`: by the contact's own clock.
  void read_clock(CompiledRule& rule, bool local) const {
    rule.reads.time = true;
    if (const std::optional<std::size_t>& zone = result_.columns.zone.field; local && zone) {
      rule.reads.fields.insert(*zone);
    }
  }

  Result<CompiledMove> move(const track::Rule& source) {
    CompiledMove made;
    if (!source.move) {
      const std::size_t next = result_.steps.size() + 1;  // this step is not in the list yet
      if (next < steps_.size()) {
        made.step = next;
        return made;
      }
      return stop(track::kCompleted, source.span);
    }
    if (const auto* const stopping = std::get_if<track::Stop>(&source.move->what)) {
      return stop(stopping->as ? stopping->as->text : track::kCompleted, source.move->span);
    }
    if (const auto* const stay = std::get_if<track::Stay>(&source.move->what)) {
      made.kind = stay->duration ? CompiledMove::Kind::kRest : CompiledMove::Kind::kStay;
      if (stay->duration) {
        made.due = due_after(*stay->duration);
      }
      return made;
    }
    const auto& go = std::get<track::GoTo>(source.move->what);
    const auto target = index_.find(go.step.text);
    if (target == index_.end()) {
      return invalid(go.step.span, fmt::format("step \"{}\" does not exist", go.step.text));
    }
    made.step = target->second;
    if (go.due) {
      made.kind = CompiledMove::Kind::kWait;
      TRY(made.due, compile_due(*go.due, result_.columns));
    }
    return made;
  }

  Result<CompiledMove> stop(const std::string& outcome, track::Span span) {
    const auto number = numbering_.outcomes.find(outcome);
    if (number == numbering_.outcomes.end()) {
      return invalid(span, fmt::format("outcome \"{}\" has no number", outcome));
    }
    CompiledMove made;
    made.kind = CompiledMove::Kind::kStop;
    made.outcome = number->second;
    return made;
  }

  const track::Track& track_;
  const track::Numbering& numbering_;
  const std::vector<const track::Step*> steps_;
  std::map<std::string, std::size_t> index_;
  CompiledTrack result_;
};

}  // namespace

Result<CompiledTrack> compile_track(const track::Track& track, const track::Catalogue& catalogue,
                                    const track::Numbering& numbering, base::TrackId id,
                                    base::Version version) {
  return TrackCompiler(track, catalogue, numbering, id, version).compile();
}

}  // namespace turnout::decide
