#include "decide/test_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/overloaded.h"
#include "decide/convert.h"
#include "decide/dry_run.h"

namespace turnout::decide {
namespace {

using base::Instant;
using track::TestCase;
using track::Value;

std::string shown(const Value& value) {
  return std::visit(base::Overloaded{[](track::Missing) { return std::string("missing"); },
                                     [](bool b) { return std::string(b ? "true" : "false"); },
                                     [](double n) { return fmt::format("{}", n); },
                                     [](const std::string& text) { return '"' + text + '"'; },
                                     [](Instant at) { return base::format_instant(at); },
                                     [](base::Date date) { return base::format_date(date); }},
                    value);
}

class Runner {
 public:
  Runner(const track::Catalogue& catalogue, DryRun& run, TestResult& result)
      : catalogue_(catalogue), run_(run), result_(result) {}

  void run(const TestCase& test) {
    for (const TestCase::Line& line : test.lines) {
      span_ = line.span;
      const bool event = std::holds_alternative<TestCase::Event>(line.what);
      const bool given = std::holds_alternative<TestCase::Given>(line.what) ||
                         std::holds_alternative<TestCase::GivenTag>(line.what) ||
                         std::holds_alternative<TestCase::GivenPlace>(line.what);
      if (!event && !given && !run_.entered()) {
        check(run_.enter(true));
      }
      std::visit([this](const auto& what) { play(what); }, line.what);
    }
  }

 private:
  void fail(std::string message) { result_.failures.push_back({span_, std::move(message)}); }
  void check(const base::Result<void>& done) {
    if (!done) {
      fail(done.error().message);
    }
  }

  Value value_of(const track::Operand& operand) const {
    return std::visit(
        base::Overloaded{[&](track::Now) -> Value { return run_.now(); },
                         [&](track::Today) -> Value { return run_.zone().day_of(run_.now()); },
                         [&](const track::DateTime& at) -> Value {
                           const Zone zone =
                               at.zone ? Zone::find(*at.zone).value_or(run_.zone()) : run_.zone();
                           return zone.instant(at.date, at.time.seconds);
                         },
                         [&](const track::FieldRef& ref) -> Value { return run_.value(ref.name); },
                         [](const auto& constant) -> Value { return constant; }},
        operand.value);
  }

  void play(const TestCase::Given& given) {
    for (const auto& [field, operand] : given.fields) {
      check(run_.set(field.name, value_of(operand)));
    }
  }
  void play(const TestCase::GivenTag& given) { run_.set_tag(given.tag.text, !given.no); }
  void play(const TestCase::GivenPlace& given) {
    std::optional<std::string> step = given.step ? given.step->text : "";
    check(run_.set_place(given.track.text, given.no ? std::nullopt : std::move(step)));
  }
  // An event that no `gather on` takes comes to a contact that is on the track already.
  void play(const TestCase::Event& event) {
    const std::string properties = properties_of(event);
    if (!run_.entered() && !run_.takes(event.event.text, properties)) {
      check(run_.enter(true));
    }
    check(run_.send(event.event.text, properties));
  }
  std::string properties_of(const TestCase::Event& event) const {
    return event.with ? json(*event.with).dump() : std::string();
  }
  nlohmann::json json(const track::Json& source) const {
    if (const auto* const object = std::get_if<track::Json::Object>(&source.value)) {
      nlohmann::json made = nlohmann::json::object();
      for (const auto& [name, value] : object->members) {
        made[name] = json(value);
      }
      return made;
    }
    if (const auto* const list = std::get_if<track::Json::List>(&source.value)) {
      nlohmann::json made = nlohmann::json::array();
      for (const track::Json& item : list->items) {
        made.push_back(json(item));
      }
      return made;
    }
    return json_of(value_of(std::get<track::Operand>(source.value)));
  }
  void play(const TestCase::Pass& pass) {
    sent_ = run_.sent().size();
    check(run_.pass_to(run_.zone().add(run_.now(), to_calendar(pass.duration), 1)));
  }

  void play(const TestCase::ExpectThing& expected) {
    if (expected.kind == TestCase::ExpectThing::Kind::kTag) {
      if (run_.has_tag(expected.name.text) == expected.no) {
        fail(fmt::format("the contact has {}tag \"{}\"", expected.no ? "" : "no ",
                         expected.name.text));
      }
      return;
    }
    const track::ActionKind kind = kind_of(expected.kind);
    const auto& all = run_.sent();
    const bool sent = std::any_of(
        all.begin() + static_cast<std::ptrdiff_t>(sent_), all.end(), [&](std::size_t index) {
          const DryMessage& message = run_.messages()[index];
          return message.kind == kind && message.name == expected.name.text;
        });
    if (sent == expected.no) {
      fail(fmt::format("{} \"{}\" was {}sent since the clock was moved; {}",
                       track::action_kind_name(kind), expected.name.text, sent ? "" : "not ",
                       what_was()));
    }
  }
  static track::ActionKind kind_of(TestCase::ExpectThing::Kind kind) {
    switch (kind) {
      case TestCase::ExpectThing::Kind::kWebhook:
        return track::ActionKind::kWebhook;
      case TestCase::ExpectThing::Kind::kEvent:
        return track::ActionKind::kEvent;
      default:
        return track::ActionKind::kEmail;
    }
  }
  void play(const TestCase::ExpectOnStep& expected) {
    if (run_.stopped() || run_.name_of(run_.place()) != expected.step.text) {
      fail(fmt::format("the contact is not on step \"{}\": it {}", expected.step.text, where()));
    }
  }
  void play(const TestCase::ExpectStopped& expected) {
    const std::string outcome = expected.as ? expected.as->text : "";
    if (!run_.stopped() || (expected.as && run_.name_of(run_.place()) != outcome)) {
      fail(fmt::format("the contact has not stopped{}: it {}",
                       expected.as ? fmt::format(" as \"{}\"", outcome) : "", where()));
    }
  }
  void play(const TestCase::ExpectField& expected) {
    const track::Field* const field = catalogue_.find(expected.field.name);
    const Value is = run_.value(expected.field.name);
    const Value said = value_of(expected.value);
    const Value wanted = field == nullptr ? said : convert(said, field->type, run_.zone());
    if (is != wanted) {
      fail(fmt::format("{} is {}, not {}", expected.field.name, shown(is), shown(said)));
    }
  }

  std::string where() const {
    const std::string name = run_.name_of(run_.place());
    if (run_.stopped()) {
      return fmt::format("has stopped as \"{}\"", name);
    }
    return fmt::format("waits on step \"{}\"{}", name,
                       run_.due_at() == track::kNever
                           ? std::string()
                           : " until " + base::format_instant(run_.due_at()));
  }

  // What has been sent instead.
  std::string what_was() const {
    std::string text;
    for (std::size_t i = sent_; i < run_.sent().size(); ++i) {
      const DryMessage& message = run_.messages()[run_.sent()[i]];
      text += fmt::format("{}{} \"{}\"", text.empty() ? "" : ", ",
                          track::action_kind_name(message.kind), message.name);
    }
    return (text.empty() ? std::string("nothing was") : text) + ", and it " + where();
  }

  const track::Catalogue& catalogue_;
  DryRun& run_;
  TestResult& result_;
  track::Span span_;
  std::size_t sent_ = 0;  // before the clock was moved last
};

}  // namespace

TestResult run_test(const track::Track& track, const track::TestCase& test,
                    const track::Catalogue& catalogue) {
  TestResult result{test.name.text, test.span, {}};
  auto run = DryRun::make(track, catalogue, {});
  if (!run) {
    result.failures.push_back({test.span, run.error().message});
    return result;
  }
  const base::Instant start = run.value().zone().instant(kTestDay, kTestSecond);
  if (const auto begun = run.value().pass_to(start); !begun) {
    result.failures.push_back({test.span, begun.error().message});
    return result;
  }
  Runner(catalogue, run.value(), result).run(test);
  return result;
}

}  // namespace turnout::decide
