#include "sim/program.h"

#include "base/hash.h"
#include "track/track.h"

namespace turnout::sim {

namespace {

constexpr std::int32_t kHook = Program::kCompleted + 1;  // number of the one webhook

// One row on its way through the steps.
struct Way {
  track::Shape shape;
  base::Instant step_at;
  base::Instant due_at = track::kNever;
};

void move(Way& way, std::int32_t from, bool acts, base::Instant now) {
  way.shape.path.insert(way.shape.path.end(), {from, 0});
  way.shape.counts.push_back({from, 0, 1});
  ++way.shape.moves;
  if (acts) {
    way.shape.acts.push_back({way.shape.moves, 1, track::ActionKind::kWebhook, kHook, false});
  }
  way.shape.step = from + 1;
  way.step_at = now;
}

void end(Way& way) {
  if (way.shape.moves == 0) {
    return;
  }
  way.shape.path.push_back(way.shape.step);
  way.shape.path_json = "[";
  for (const std::int32_t number : way.shape.path) {
    way.shape.path_json += std::to_string(number) + ",";
  }
  way.shape.path_json.back() = ']';
}

}  // namespace

StepRule Program::rule(base::TrackId track, base::ContactId contact, std::int32_t step) const {
  const std::uint64_t h = base::mix64(static_cast<std::uint64_t>(contact.get()) * 1'000'003 +
                                      static_cast<std::uint64_t>(track.get()) * 101 +
                                      static_cast<std::uint64_t>(step - 1));
  StepRule rule;
  rule.acts = (h >> 8) % 2 == 0;
  switch (h % 3) {
    case 0:
      rule.kind = StepKind::kAtOnce;
      break;
    case 1:
      rule.kind = StepKind::kTime;
      rule.wait = base::Duration(
          static_cast<std::int64_t>((h >> 16) % static_cast<std::uint64_t>(2 * cycle_.count())));
      break;
    default:
      rule.kind = StepKind::kRule;
      rule.at_least = static_cast<std::int64_t>((h >> 16) % (kMaxValue + 1));
  }
  return rule;
}

void Program::run(base::TrackId track, const track::ContactBlock& before,
                  track::BlockOutcome& after) const {
  after.clear();
  for (std::size_t row = 0; row < before.rows(); ++row) {
    const base::ContactId contact = before.contact[row];
    const double value = before.columns[0].present[row] != 0 ? before.columns[0].number[row] : 0;
    Way way;
    way.shape.step = before.step[row];
    way.step_at = before.step_at[row];
    while (way.shape.step < kCompleted) {
      const StepRule step = rule(track, contact, way.shape.step);
      if (step.kind == StepKind::kTime && before.now < way.step_at + step.wait) {
        way.due_at = way.step_at + step.wait;
        break;
      }
      if (step.kind == StepKind::kRule && value < static_cast<double>(step.at_least)) {
        break;
      }
      if (way.shape.moves == kMaxHops) {
        way.due_at = before.now;
        break;
      }
      move(way, way.shape.step, step.acts, before.now);
    }
    if (way.shape.step == kCompleted) {
      way.shape.state = track::PositionState::kStopped;
    }
    end(way);
    after.seen.append(way.shape.moves == 0 ? "" : "{}");
    after.payload.append("");
    after.shape.push_back(static_cast<std::int32_t>(after.shapes.size()));
    after.shapes.push_back(std::move(way.shape));
    after.step_at.push_back(way.step_at);
    after.due_at.push_back(way.due_at);
    after.stayed.push_back(0);
  }
}

store::Publish Program::publish(const std::string& name, int edition) {
  store::Publish publish;
  publish.text = name + ", edition " + std::to_string(edition);
  publish.track.name.text = name;
  for (std::int32_t number = 1; number <= kSteps; ++number) {
    track::Step step;
    step.name.text = "step " + std::to_string(number);
    track::Rule rule;
    rule.head = track::Otherwise{};
    rule.actions.push_back({track::CallWebhook{{"hook", {}}, {}}, {}, {}});
    step.rules.push_back(std::move(rule));
    publish.track.parts.emplace_back(std::move(step));
  }
  return publish;
}

}  // namespace turnout::sim
