// Names, fields, where they lead, and steps that get another name.

#include <gtest/gtest.h>

#include <map>

#include "edit/navigation.h"
#include "edit/rename.h"
#include "lang/formatter.h"
#include "lang/generate.h"
#include "lang/parser.h"
#include "names_oracle.h"
#include "texts.h"

namespace turnout::edit {
namespace {

using lang::random_track;

std::string told(const std::vector<NameUse>& names) {
  std::string out;
  for (const NameUse& name : names) {
    out += std::to_string(name.place.begin) + (name.declares ? " declares " : " names ") +
           kind_name(name.kind) + " " + lang::format_string(name.text) + "\n";
  }
  return out;
}

Reading parsed(const std::string& text) {
  lang::Parsed parsed = lang::parse(text);
  return read(text, {std::move(parsed.track), std::move(parsed.diagnostics)});
}

// TURNOUT_EDIT_CASES sets how many tracks are tried.
int cases() {
  const char* const wanted = std::getenv("TURNOUT_EDIT_CASES");
  constexpr int kUsual = 1'000;
  return wanted == nullptr ? kUsual : static_cast<int>(std::strtol(wanted, nullptr, 10));
}

TEST(Names, TokensAndTreeAgree) {
  std::map<NameKind, int> kinds;
  for (int seed = 1; seed <= cases(); ++seed) {
    const std::string text = lang::format(random_track(static_cast<std::uint64_t>(seed), 24));
    const Reading reading = parsed(text);
    ASSERT_EQ(told(reading.names), told(names_in_tree(reading.track))) << "seed " << seed << "\n"
                                                                       << text;
    for (const NameUse& name : reading.names) {
      ++kinds[name.kind];
    }
  }
  EXPECT_EQ(kinds.size(), static_cast<std::size_t>(NameKind::kShown) + 1);
}

TEST(Names, FieldsStandWhereTheTreeSays) {
  std::size_t found = 0;
  for (int seed = 1; seed <= cases() / 10; ++seed) {
    const Reading reading =
        parsed(lang::format(random_track(static_cast<std::uint64_t>(seed), 24)));
    for (const FieldUse& field : reading.fields) {
      ASSERT_EQ(slice(reading, field.place), lang::format_field(field.name)) << "seed " << seed;
      ASSERT_EQ(field_at(reading, field.place.begin), &field);
      ++found;
    }
  }
  EXPECT_GT(found, 100U);
}

TEST(Names, OfAStatementThatIsBeingWrittenAreFound) {
  const auto [reading, at] = read_marked(
      "track \"T\"\n  gather contacts continuously\nstep \"One\"\n  otherwise:\n    go to \"Tw|o\" "
      "aftr\n"
      "step \"Two\"\n  otherwise:\n    stop\n");
  ASSERT_TRUE(lang::has_errors(reading.diagnostics));
  const auto places = definitions(reading, at);
  ASSERT_EQ(places.size(), 1U);
  EXPECT_EQ(places[0].begin, reading.text.find("\"Two\"\n"));
}

TEST(Names, NoTextIsTooStrange) {
  for (const std::string& text :
       {std::string(), std::string("\""), std::string("\xff\xfe step \"x"), std::string(1, '\0'),
        std::string("at \"x\""), std::string("as \"x\""), std::string("track"),
        std::string(lang::kMaxTextBytes + 1, 'x')}) {
    const Reading reading = read_text(text);
    EXPECT_LE(reading.names.size(), 1U);
    for (std::size_t at = 0; at <= std::min<std::size_t>(text.size(), 20); ++at) {
      token_at(reading, at);
      EXPECT_TRUE(definitions(reading, at).empty());
    }
  }
}

// ---- Where names lead ---------------------------------------------------------------------------

std::vector<std::size_t> begins(const std::vector<Stretch>& places) {
  std::vector<std::size_t> out;
  for (const Stretch& place : places) {
    out.push_back(place.begin);
  }
  return out;
}

// Every place of a text.
std::vector<std::size_t> all_of(const std::string& text, const std::string& what) {
  std::vector<std::size_t> out;
  for (std::size_t i = text.find(what); i != std::string::npos; i = text.find(what, i + 1)) {
    out.push_back(i);
  }
  return out;
}

TEST(Navigation, LeadsToStepsAndArms) {
  const Reading reading = read_text(sample("trial-welcome"));
  const auto at = [&](const std::string& what) {
    return reading.text.find(what) + what.size() - 1;
  };
  EXPECT_EQ(begins(definitions(reading, at("go to \"Hand over\""))),
            std::vector{reading.text.find("\"Hand over\"\n  otherwise")});
  EXPECT_EQ(begins(definitions(reading, at("start at \"Greet\""))),
            std::vector{reading.text.find("\"Greet\"\n  when")});
  EXPECT_TRUE(definitions(reading, at("add tag \"trial\"")).empty());
  EXPECT_TRUE(definitions(reading, at("on track \"Sales follow-up\" at \"First call\"")).empty());
  EXPECT_TRUE(definitions(reading, at("otherwise")).empty());
}

TEST(Navigation, FindsEveryPlace) {
  const Reading reading = read_text(sample("trial-welcome"));
  const std::size_t hand_over = reading.text.find("\"Hand over\"");
  EXPECT_EQ(begins(references(reading, hand_over, true)), all_of(reading.text, "\"Hand over\""));
  EXPECT_EQ(references(reading, hand_over, false).size(),
            references(reading, hand_over, true).size() - 1);
  const std::size_t score = reading.text.find("score is");
  EXPECT_EQ(references(reading, score, true).size(), 3U);
  EXPECT_TRUE(references(reading, 0, true).empty());
}

// ---- Names that change --------------------------------------------------------------------------

constexpr const char* kOwnTrack = R"(track "T"
  gather contacts where not on track "T" at "A" continuously
    start at "A"

step "A"
  when visit.step is one of "A", "B" or on track "U" at "A":
    put on track "T" at "A"
    put on track "U" at "A"
    go to "A" after 1 day
  otherwise:
    add tag "A"
    stop as "A"

step "B"
  after 1 day:
    go to "A"

test "A"
  given plan is "A"
  expect on step "A"
  expect stopped as "A"
)";

TEST(Rename, ChangesThisTracksStepAndNothingElse) {
  const Reading reading = read_text(kOwnTrack);
  const auto edits = rename(reading, reading.text.find("go to \"A\"") + 7, "Say \"hi\"");
  ASSERT_TRUE(edits) << edits.error().message;
  std::string expected = kOwnTrack;
  for (const char* kept : {"on track \"T\" at \"A\"", "start at \"A\"", "step \"A\"", "of \"A\"",
                           "go to \"A\"", "on step \"A\""}) {
    for (std::size_t i = expected.find(kept); i != std::string::npos; i = expected.find(kept)) {
      const std::string_view found = kept;
      expected.replace(i, found.size(),
                       std::string(found.substr(0, found.size() - 3)) + "\"Say \\\"hi\\\"\"");
    }
  }
  EXPECT_EQ(edited(reading.text, edits.value()), expected);
}

TEST(Rename, SaysWhatWillNotDo) {
  const Reading reading = read_text(kOwnTrack);
  const std::size_t step = reading.text.find("go to \"A\"") + 7;
  EXPECT_NE(rename(reading, step, "b").error().message.find("there is a step \"B\" already"),
            std::string::npos);
  EXPECT_FALSE(rename(reading, step, ""));
  EXPECT_FALSE(rename(reading, step, std::string("x\0y", 3)));
  EXPECT_TRUE(rename(reading, step, "a"));
  EXPECT_FALSE(rename(reading, reading.text.find("tag \"A\"") + 5, "X"));
  EXPECT_FALSE(rename(reading, 0, "X"));
  EXPECT_FALSE(renamable(reading, reading.text.find("stop as \"A\"") + 9));
  const auto found = renamable(reading, step);
  ASSERT_TRUE(found);
  EXPECT_EQ(slice(reading, found->place), "A");
  EXPECT_EQ(found->text, "A");
  const Reading open = read_text("track \"T\"\nstep \"A\"\n  otherwise:\n    go to \"A\n");
  EXPECT_FALSE(rename(open, open.text.find("\"A\""), "X"));
  EXPECT_FALSE(renamable(open, open.text.find("\"A\n")));
}

TEST(Rename, BackAgainIsTheSameText) {
  int renamed = 0;
  for (int seed = 1; seed <= cases() / 4; ++seed) {
    const std::string text = lang::format(random_track(static_cast<std::uint64_t>(seed), 24));
    const Reading reading = parsed(text);
    const auto steps = reading.track.steps();
    if (steps.empty()) {
      continue;
    }
    const std::string old = steps[0]->name.text;
    const std::string fresh = "a \"fresh\" \\ name \u20ac";
    const auto edits = rename(reading, steps[0]->name.span.begin, fresh);
    ASSERT_TRUE(edits) << edits.error().message << "\nseed " << seed;
    const Reading after = parsed(edited(text, edits.value()));
    ASSERT_FALSE(lang::has_errors(after.diagnostics)) << "seed " << seed;
    for (const NameUse& name : after.names) {
      ASSERT_FALSE(name.kind == NameKind::kStep && name.text == old) << "seed " << seed;
    }
    const auto back = rename(after, after.track.steps()[0]->name.span.begin, old);
    ASSERT_TRUE(back) << back.error().message << "\nseed " << seed;
    ASSERT_EQ(edited(after.text, back.value()), text) << "seed " << seed;
    ++renamed;
  }
  EXPECT_GT(renamed, 0);
}

}  // namespace
}  // namespace turnout::edit
