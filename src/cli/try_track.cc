// `turnout try`: one contact's way through a track, on a clock that runs as fast as it likes.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/runnable_track.h"
#include "cli/screen.h"
#include "decide/dry_run.h"
#include "lang/formatter.h"
#include "track/leaves.h"

namespace turnout::cli {
namespace {

using base::Result;
using Ordered = nlohmann::ordered_json;

base::Error wrong(std::string message) { return {base::ErrorCode::kInvalid, std::move(message)}; }

// A JSON scalar as a field's value.
Result<track::Value> value_of(const std::string& name, const Ordered& json) {
  if (json.is_null()) {
    return track::Value();
  }
  if (json.is_boolean()) {
    return track::Value(json.get<bool>());
  }
  if (json.is_number()) {
    return track::Value(json.get<double>());
  }
  if (json.is_string()) {
    return track::Value(json.get<std::string>());
  }
  return wrong(fmt::format("{}: a field holds a text, a number, true, false or null", name));
}

Result<decide::CalendarDuration> duration_of(const std::string& option, const std::string& text) {
  track::DurationSpec spec;
  if (const std::string problem = track::read_duration(text, spec); !problem.empty()) {
    return wrong(
        fmt::format("{} {}: {}; write \"2 days\" or \"1 hour 30 minutes\"", option, text, problem));
  }
  return decide::to_calendar(spec);
}

// What happens on the way: a field that is set, or an event.
struct Change {
  base::Instant at;
  std::string name;
  track::Value value;
  std::optional<std::string> properties;  // of an event
};

Result<base::Instant> time_of(const char* option, const std::string& text,
                              const decide::DryRun& run) {
  TRY(const decide::CalendarDuration after, duration_of(option, text));
  return run.zone().add(run.now(), after, 1);
}

// `--set FIELD=VALUE@DURATION`: the value as JSON, or else as text.
Result<Change> change_of(const std::string& text, const decide::DryRun& run) {
  const std::size_t equals = text.find('=');
  const std::size_t time = text.rfind('@');
  if (equals == std::string::npos || time == std::string::npos || time < equals) {
    return wrong(fmt::format("--set {}: write --set 'score=55@2 days'", text));
  }
  Change change{{}, text.substr(0, equals), {}, {}};
  const std::string value = text.substr(equals + 1, time - equals - 1);
  const Ordered json = Ordered::parse(value, nullptr, false);
  TRY(change.value, value_of(change.name, json.is_discarded() ? Ordered(value) : json));
  TRY(change.at, time_of("--set", text.substr(time + 1), run));
  return change;
}

// `--event NAME@DURATION` or `--event 'NAME {"size": 3}@DURATION'`; without a time, at the
// beginning.
Result<Change> event_of(const std::string& text, const decide::DryRun& run) {
  const std::size_t brace = text.find('{');
  const std::size_t close = text.rfind('}');
  const std::size_t time = text.rfind('@');
  const bool timed = time != std::string::npos && (close == std::string::npos || time > close);
  const std::string what = timed ? text.substr(0, time) : text;
  Change change{run.now(), what.substr(0, brace), {}, "{}"};
  change.name.erase(change.name.find_last_not_of(' ') + 1);
  if (brace != std::string::npos) {
    change.properties = what.substr(brace);
    if (!Ordered::parse(*change.properties, nullptr, false).is_object()) {
      return wrong(fmt::format("--event {}: {} is no JSON object", text, *change.properties));
    }
  }
  if (change.name.empty()) {
    return wrong(fmt::format("--event {}: write --event 'NAME {{\"size\": 3}}@2 days'", text));
  }
  if (timed) {
    TRY(change.at, time_of("--event", text.substr(time + 1), run));
  }
  return change;
}

Result<void> set_contact(const std::string& text, decide::DryRun& run) {
  const Ordered contact = Ordered::parse(text, nullptr, false);
  if (!contact.is_object()) {
    return wrong("--contact: is no JSON object; write '{\"score\": 55, \"tags\": [\"vip\"]}'");
  }
  for (const auto& [name, value] : contact.items()) {
    if (name == "tags" && value.is_array()) {
      for (const Ordered& tag : value) {
        run.set_tag(tag.is_string() ? tag.get<std::string>() : tag.dump(), true);
      }
      continue;
    }
    TRY(const track::Value set, value_of(name, value));
    TRYV(run.set(name, set));
  }
  return base::ok();
}

// Where nobody says which fields there are, those of the contact have the types of its values.
void take_types(const std::string& contact, KnownNames& known) {
  const Ordered values = Ordered::parse(contact, nullptr, false);
  if (known.fields || !values.is_object()) {
    return;
  }
  for (const auto& [name, value] : values.items()) {
    const bool scalar = value.is_boolean() || value.is_number() || value.is_string();
    if (scalar && name.find('.') == std::string::npos && known.catalogue.find(name) == nullptr) {
      known.catalogue.fields.push_back({name,
                                        value.is_boolean()  ? track::Type::kBoolean
                                        : value.is_number() ? track::Type::kNumber
                                                            : track::Type::kText,
                                        ""});
    }
  }
}

Result<base::Instant> start_of(const TryOptions& options) {
  if (options.at) {
    return base::parse_instant(*options.at);
  }
  return machine_now();
}

// What happened, told in the words of the track.
class Story {
 public:
  Story(const track::Track& track, const decide::DryRun& run) : track_(track), run_(run) {}

  void print() const {
    for (std::size_t i = 0; i < run_.moves().size(); ++i) {
      const decide::DryMove& move = run_.moves()[i];
      fmt::print("{}  {} → {}\n", base::format_instant(move.at), quoted(move.from), where(move));
      fmt::print("    {}\n", head(move));
      for (const decide::DryMessage& message : run_.messages()) {
        if (message.move == i) {
          fmt::print("    {} \"{}\"{}{}\n", track::action_kind_name(message.kind), message.name,
                     message.payload.empty() ? "" : " with " + message.payload, fate(message));
        }
      }
      if (i + 1 == run_.moves().size() || run_.moves()[i + 1].at != move.at) {
        fmt::print("    saw {}\n", move.seen);
      }
    }
    if (!run_.stopped()) {
      fmt::print("{}  waits on {}{}\n", base::format_instant(run_.now()), quoted(run_.place()),
                 run_.due_at() == track::kNever ? std::string(", for something to change")
                                                : ", until " + base::format_instant(run_.due_at()));
    }
  }

  Ordered json() const {
    Ordered moves = Ordered::array();
    for (std::size_t i = 0; i < run_.moves().size(); ++i) {
      const decide::DryMove& move = run_.moves()[i];
      moves.push_back({{"at", base::format_instant(move.at)},
                       {"from", run_.name_of(move.from)},
                       {"rule", move.rule},
                       {"head", head(move)},
                       {"to", run_.name_of(move.to)},
                       {"stopped", move.state == track::PositionState::kStopped},
                       {"due_at", time_or_null(move.due_at)},
                       {"seen", Ordered::parse(move.seen)},
                       {"messages", messages_of(i)}});
    }
    return {{"moves", std::move(moves)},
            {"place", run_.name_of(run_.place())},
            {"stopped", run_.stopped()},
            {"due_at", time_or_null(run_.due_at())},
            {"now", base::format_instant(run_.now())}};
  }

 private:
  static Ordered time_or_null(base::Instant at) {
    return at == track::kNever ? Ordered() : Ordered(base::format_instant(at));
  }
  std::string quoted(std::int32_t number) const { return '"' + run_.name_of(number) + '"'; }

  Ordered messages_of(std::size_t move) const {
    Ordered all = Ordered::array();
    for (const decide::DryMessage& message : run_.messages()) {
      if (message.move == move) {
        all.push_back(
            {{"kind", track::action_kind_name(message.kind)},
             {"name", message.name},
             {"payload", message.payload.empty() ? Ordered() : Ordered::parse(message.payload)},
             {"state", state(message)},
             {"at", base::format_instant(message.sent_at)}});
      }
    }
    return all;
  }

  static const char* state(const decide::DryMessage& message) {
    switch (message.fate) {
      case decide::DryMessage::Fate::kSent:
        return "sent";
      case decide::DryMessage::Fate::kWaits:
        return "waiting";
      case decide::DryMessage::Fate::kCapped:
        return "capped";
      case decide::DryMessage::Fate::kWithdrawn:
        return "withdrawn";
    }
    return "?";
  }
  // What is to be said of a message that did not go out at once.
  static std::string fate(const decide::DryMessage& message) {
    using Fate = decide::DryMessage::Fate;
    const std::string at = base::format_instant(message.sent_at);
    if (message.fate == Fate::kSent) {
      return message.sent_at == message.at ? "" : ", sent at " + at + " after quiet hours";
    }
    return message.fate == Fate::kWaits    ? ", waits for quiet hours to end at " + at
           : message.fate == Fate::kCapped ? ", dropped at " + at + " by the cap"
                                           : ", withdrawn: the contact left before it was sent";
  }

  std::string where(const decide::DryMove& move) const {
    const bool closed = move.state == track::PositionState::kClosed;
    if (move.state == track::PositionState::kStopped) {
      return "stops as " + quoted(move.to);
    }
    if (closed && move.due_at == track::kNever) {
      return quoted(move.to) + ", closed until the field that says when has a value";
    }
    return quoted(move.to) +
           (closed ? ", closed until " + base::format_instant(move.due_at) : std::string());
  }

  // The rule as it stands in the track.
  std::string head(const decide::DryMove& move) const {
    return lang::format_cause(track_, run_.name_of(move.from), move.rule);
  }

  const track::Track& track_;
  const decide::DryRun& run_;
};

Result<void> play(const TryOptions& options, decide::DryRun& run) {
  TRYV(set_contact(options.contact, run));
  TRY(const decide::CalendarDuration length, duration_of("--until", options.until));
  const base::Instant end = run.zone().add(run.now(), length, 1);
  std::vector<Change> changes;
  for (const std::string& text : options.set) {
    TRY(Change change, change_of(text, run));
    changes.push_back(std::move(change));
  }
  for (const std::string& text : options.events) {
    TRY(Change change, event_of(text, run));
    changes.push_back(std::move(change));
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return a.at < b.at; });
  Result<void> entered = run.enter(options.anyhow);
  if (!entered && (options.events.empty() || entered.error().code != base::ErrorCode::kNotFound)) {
    return entered;
  }
  for (const Change& change : changes) {
    if (change.at <= end) {
      TRYV(run.pass_to(change.at));
      TRYV(change.properties ? run.send(change.name, *change.properties)
                             : run.set(change.name, change.value));
    }
  }
  if (!run.entered()) {
    return base::fail(base::ErrorCode::kNotFound, "no `gather` takes this contact");
  }
  return run.pass_to(end);
}

Result<decide::DryRun> begin(const TryOptions& options, const track::Track& track,
                             const KnownNames& known) {
  TRY(const base::Instant start, start_of(options));
  return decide::DryRun::make(track, known.catalogue, start);
}

}  // namespace

int try_track(const TryOptions& options) {
  KnownNames known;
  if (const int code = known.learn(options.known, options.file); code != kExitDone) {
    return code;
  }
  take_types(options.contact, known);
  const std::optional<track::Track> track = read_runnable(options.file, known);
  if (!track) {
    return kExitWrong;
  }
  auto run = begin(options, *track, known);
  if (!run) {
    print_error(run.error().message);
    return kExitWrong;
  }
  const auto played = play(options, run.value());
  if (!played && !run.value().entered()) {
    const bool left_out = played.error().code == base::ErrorCode::kNotFound;
    print_error(played.error().message +
                (left_out ? "; --anyhow puts it on the track nevertheless" : ""));
    return kExitWrong;
  }
  const Story story(*track, run.value());
  if (options.json) {
    fmt::print("{}\n", story.json().dump(2));
  } else {
    story.print();
  }
  if (!played) {
    print_error(played.error().message);
    return kExitWrong;
  }
  return kExitDone;
}

}  // namespace turnout::cli
