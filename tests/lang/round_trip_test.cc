// Text and tree are two forms of one thing: parse(format(t)) == t for every tree, and format is
// idempotent. TURNOUT_LANG_CASES sets how many random tracks are tried (default 3,000);
// RC_PARAMS="seed=…" repeats a failure.

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <functional>
#include <sstream>
#include <string>

#include "generate.h"
#include "lang/formatter.h"
#include "lang/parser.h"

namespace turnout::lang {
namespace {

std::string all(const Parsed& parsed, std::string_view text) {
  std::string out;
  for (const Diagnostic& d : parsed.diagnostics) {
    out += "[" + d.code + "] " + render(d, "track", text, false);
  }
  return out;
}

int cases() {
  const char* wanted = std::getenv("TURNOUT_LANG_CASES");
  constexpr int kDefault = 3'000;
  return wanted == nullptr ? kDefault : static_cast<int>(std::strtol(wanted, nullptr, 10));
}

// Runs `property` on random tracks; sizes grow from case to case, and a failing one shrinks to a
// smaller seed and size.
void for_tracks(const std::string& name, const std::function<void(const track::Track&)>& property,
                int count = cases()) {
  rc::detail::TestParams params = rc::detail::configuration().testParams;
  params.maxSuccess = count;
  params.maxDiscardRatio = 100;  // tracks without comments are rare
  rc::detail::TestMetadata metadata;
  metadata.id = name;
  metadata.description = name;
  const auto result = rc::detail::checkTestable(
      [&] {
        const auto seed = *rc::gen::arbitrary<std::uint64_t>();
        const auto size = *rc::gen::inRange(2, 24);
        property(random_track(seed, size));
      },
      metadata, params);
  std::ostringstream out;
  rc::detail::printResultMessage(result, out);
  EXPECT_TRUE(result.template is<rc::detail::SuccessResult>()) << out.str();
}

TEST(RoundTrip, TextHoldsTheWholeTree) {
  for_tracks("parse(format(t)) == t", [](const track::Track& t) {
    const std::string text = format(t);
    const Parsed parsed = parse(text);
    if (!parsed.diagnostics.empty() || !(parsed.track == t)) {
      RC_FAIL(text + "\n---\n" + all(parsed, text) + "\n--- read as\n" + format(parsed.track));
    }
  });
}

TEST(RoundTrip, FormatIsIdempotent) {
  for_tracks("format(parse(format(t))) == format(t)", [](const track::Track& t) {
    const std::string text = format(t);
    const std::string again = format(parse(text).track);
    if (again != text) {
      RC_FAIL(text + "\n--- becomes\n" + again);
    }
  });
}

// Line ends and indentation carry no meaning: without comments and blocks a track can stand on one
// line.
TEST(RoundTrip, LineEndsMeanNothing) {
  for_tracks(
      "parse(one line) == t",
      [](const track::Track& t) {
        const std::string text = format(t);
        RC_PRE(text.find('#') == std::string::npos);
        RC_PRE(text.find("\"\"\"") == std::string::npos);
        std::string line = text;
        for (char& c : line) {
          c = c == '\n' ? ' ' : c;
        }
        const Parsed parsed = parse(line);
        if (!parsed.diagnostics.empty() || !(parsed.track == t)) {
          RC_FAIL(line + "\n---\n" + all(parsed, line));
        }
      },
      cases() / 10 + 1);
}

TEST(RoundTrip, Numbers) {
  const struct {
    double number;
    const char* text;
  } cases[] = {
      {0, "0"},       {40, "40"},      {-3.5, "-3.5"},  {1e6, "1000000"},
      {0.1, "0.1"},   {1e15, "1e+15"}, {1e22, "1e+22"}, {9007199254740991.0, "9007199254740991"},
      {5e-7, "5e-07"}};
  for (const auto& c : cases) {
    EXPECT_EQ(format_number(c.number), c.text);
  }
}

}  // namespace
}  // namespace turnout::lang
