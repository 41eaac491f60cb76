// Text, tree and JSON are three forms of one thing. At least 100,000 random tracks go round: text
// to tree and back, JSON to tree and back, and from each to the other. Most are small, so that all
// of them take seconds; every fiftieth is large.
//
// TURNOUT_LANG_TRACKS sets how many; TURNOUT_LANG_FIRST=SEED begins with another one: a failure
// prints the seed that repeats it.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>

#include "generate.h"
#include "lang/formatter.h"
#include "lang/parser.h"
#include "samples.h"
#include "track/json_form.h"

namespace turnout::lang {
namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* const set = std::getenv(variable);
  return set == nullptr ? otherwise : std::strtoull(set, nullptr, 10);
}

int size_of(std::uint64_t seed) {
  constexpr int kEvery = 50;
  constexpr int kLarge = 24;
  return seed % kEvery == 0 ? kLarge : 2 + static_cast<int>(seed % 2);
}

std::string problems_of(const track::TrackFromJson& read) {
  std::string out;
  for (const track::JsonProblem& p : read.problems) {
    out += p.pointer + ": " + p.message + "\n";
  }
  return out;
}

// What is lost on the way; empty when nothing is. Equal trees have the same text and the same JSON,
// so these are compared for some tracks only (`closely`).
std::string lost(const track::Track& t, bool closely) {
  const std::string text = format(t);
  const Parsed parsed = parse(text);
  if (!parsed.diagnostics.empty() || !(parsed.track == t)) {
    return "parse(format(t)) is not t:\n" + text;
  }
  const std::string json = to_json(t, track::JsonLayout::kCompact);
  const track::TrackFromJson read = track::from_json(json);
  if (!read.ok() || !(read.track == t)) {
    return "from_json(to_json(t)) is not t:\n" + problems_of(read) + json;
  }
  if (!closely) {
    return {};
  }
  if (format(parsed.track) != text) {
    return "format is not idempotent:\n" + text;
  }
  if (to_json(read.track, track::JsonLayout::kCompact) != json) {
    return "to_json(from_json(j)) is not j:\n" + json;
  }
  const track::TrackFromJson from_text = track::from_json(track::to_json(parsed.track));
  if (!from_text.ok() || format(from_text.track) != text) {
    return "text, JSON, text is not the same text:\n" + text;
  }
  return {};
}

TEST(EveryForm, NothingIsLost) {
  constexpr std::uint64_t kTracks = 100'000;
  const std::uint64_t first = number_from("TURNOUT_LANG_FIRST", 1);
  const std::uint64_t count = number_from("TURNOUT_LANG_TRACKS", kTracks);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    constexpr std::uint64_t kClosely = 10;
    const std::string what = lost(random_track(seed, size_of(seed)), seed % kClosely == 0);
    ASSERT_EQ(what, "") << "repeat with TURNOUT_LANG_FIRST=" << seed << " TURNOUT_LANG_TRACKS=1";
  }
}

TEST(EveryForm, SampleTracks) {
  namespace fs = std::filesystem;
  const fs::path source = TURNOUT_SOURCE_DIR;
  int seen = 0;
  for (const fs::path& folder : {source / "examples", source / "tests/lang/tracks"}) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() == ".track") {
        const Parsed parsed = parse(read_file(entry.path()));
        ASSERT_TRUE(parsed.ok()) << entry.path();
        EXPECT_EQ(lost(parsed.track, true), "") << entry.path();
        ++seen;
      }
    }
  }
  EXPECT_GE(seen, 5);
}

// What the fuzzers kept: small inputs that reach each their own part of the parser or the reader.
TEST(EveryForm, CorpusOfTheFuzzers) {
  const std::filesystem::path corpus =
      std::filesystem::path(TURNOUT_SOURCE_DIR) / "tests/lang/corpus";
  int sound = 0;
  for (const auto& entry : std::filesystem::directory_iterator(corpus / "text")) {
    if (const Parsed parsed = parse(read_file(entry.path())); parsed.ok()) {
      EXPECT_EQ(lost(parsed.track, true), "") << entry.path();
      ++sound;
    }
  }
  for (const auto& entry : std::filesystem::directory_iterator(corpus / "json")) {
    const track::TrackFromJson read = track::from_json(read_file(entry.path()));
    if (read.ok()) {
      EXPECT_EQ(lost(read.track, true), "") << entry.path();
      ++sound;
    }
  }
  EXPECT_GT(sound, 0);
}

// `inner` inside one more condition, of a kind that the draw chooses.
track::Condition around(track::Condition inner, std::mt19937_64& draw) {
  track::Condition field;
  field.node = track::BooleanField{{"a", {}}};
  std::vector<track::Condition> both = {std::move(field), std::move(inner)};
  track::Condition out;
  switch (draw() % 5) {
    case 0:
      out.node = track::And{std::move(both)};
      break;
    case 1:
      out.node = track::Or{std::move(both)};
      break;
    case 2: {
      track::DidEvent did;
      did.event.text = "e";
      did.where = track::Box<track::Condition>(std::move(both[1]));
      out.node = std::move(did);
      break;
    }
    default:
      out.node = track::Not{std::move(both[1])};
  }
  return out;
}

// The parser and the reader of JSON count nesting alike: near the limit both take a condition, or
// neither does.
TEST(EveryForm, NestingIsCountedAlike) {
  int taken = 0;
  constexpr std::uint64_t kConditions = 400;
  for (std::uint64_t seed = 1; seed <= kConditions; ++seed) {
    std::mt19937_64 draw(seed);
    track::Condition condition;
    condition.node = track::HasTag{{"x", {}}};
    constexpr std::uint64_t kLeast = 85;
    for (std::uint64_t depth = kLeast + draw() % 60; depth > 0; --depth) {
      condition = around(std::move(condition), draw);
    }
    track::Track t;
    t.name.text = "T";
    t.parts.emplace_back(track::Step());
    auto& step = std::get<track::Step>(t.parts[0]);
    step.name.text = "S";
    step.rules.emplace_back().head = track::When{std::move(condition)};
    const bool text = parse(format(t)).ok();
    const track::TrackFromJson read = track::from_json(to_json(t, track::JsonLayout::kCompact));
    ASSERT_EQ(text, read.ok()) << "seed " << seed << "\n" << format(t) << problems_of(read);
    taken += text ? 1 : 0;
  }
  EXPECT_GT(taken, 40);
  EXPECT_LT(taken, 360);
}

// Indented and compact are the same JSON, and large tracks go round in both.
TEST(EveryForm, Layouts) {
  constexpr std::uint64_t kTracks = 200;
  for (std::uint64_t seed = 1; seed <= kTracks; ++seed) {
    const track::Track t = random_track(seed, 30);
    const track::TrackFromJson read = track::from_json(track::to_json(t));
    ASSERT_TRUE(read.ok() && read.track == t) << "seed " << seed << "\n" << problems_of(read);
  }
}

}  // namespace
}  // namespace turnout::lang
