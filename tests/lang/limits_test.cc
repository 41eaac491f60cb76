// Limits at their edges, bytes that are no text, and input that nobody wrote by hand.

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <random>
#include <string>

#include "generate.h"
#include "lang/checker.h"
#include "lang/formatter.h"
#include "lang/lexer.h"
#include "lang/parser.h"
#include "samples.h"

namespace turnout::lang {
namespace {

std::vector<std::string> codes(const std::vector<Diagnostic>& diagnostics) {
  std::vector<std::string> out;
  for (const Diagnostic& d : diagnostics) {
    out.push_back(d.code);
  }
  return out;
}
std::vector<std::string> codes_of(const std::string& text) {
  return codes(parse(text).diagnostics);
}

using Codes = std::vector<std::string>;

std::string repeat(const std::string& text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) {
    out += text;
  }
  return out;
}

const std::string kHead = "track \"T\"\n";

TEST(Limits, Bytes) {
  const std::string text = kHead + "step \"A\"\n  otherwise:\n#";
  EXPECT_EQ(codes_of(text + std::string(kMaxTextBytes - text.size(), 'x')), Codes());
  EXPECT_EQ(codes_of(text + std::string(kMaxTextBytes - text.size() + 1, 'x')),
            Codes{"text-too-long"});
}

TEST(Limits, Tokens) {
  // track, "T", step, "A", otherwise, : and then two for each `stay`.
  const std::string text = kHead + "step \"A\"\n";
  const std::string rule = "otherwise:";
  const auto parsed = parse(text + repeat(rule, kMaxTokens / 2));
  EXPECT_EQ(codes(parsed.diagnostics).back(), "text-too-long");
  EXPECT_EQ(lex(repeat(": ", kMaxTokens)).diagnostics.size(), 0U);
  EXPECT_EQ(codes(lex(repeat(": ", kMaxTokens + 1)).diagnostics), Codes{"text-too-long"});
}

TEST(Limits, Counts) {
  const std::string step = "step \"A\" otherwise: ";
  const auto at_limit = [](const std::string& before, const std::string& item, std::size_t limit,
                           const std::string& behind) {
    EXPECT_EQ(codes_of(before + repeat(item, limit) + behind), Codes()) << item;
    EXPECT_EQ(codes_of(before + repeat(item, limit + 1) + behind), Codes{"too-many"}) << item;
  };
  at_limit(kHead, "enter once ", kMaxClauses, step);
  at_limit(kHead, "step \"A\" ", kMaxSteps, "");
  at_limit(kHead, "test \"A\" ", kMaxTests, "");
  at_limit(kHead + "step \"A\" ", "otherwise: ", kMaxRulesPerStep, "");
  at_limit(kHead + step, "clear x ", kMaxActionsPerRule, "");
  at_limit(kHead + "test \"A\" ", "expect stopped ", kMaxLinesPerTest, "");
  at_limit(kHead + "step \"A\" when x is one of 1", ", 1", kMaxListItems - 1, ":");
  at_limit(kHead + "step \"A\" when x", " and x", kMaxListItems - 1, ":");
  at_limit(kHead + "step \"A\" when x", " or x", kMaxListItems - 1, ":");
  at_limit(kHead + "test \"A\" given a is 1", ", a is 1", kMaxListItems - 1, "");
  at_limit(kHead + step + "show \"x\" with {\"a\": [1", ", 1", kMaxListItems - 1, "]}");
  at_limit(kHead + step + "show \"x\" with {\"a\": 1", ", \"a\": 1", kMaxListItems - 1, "}");
}

TEST(Limits, Nesting) {
  const auto brackets = [](std::size_t depth) {
    return kHead + "step \"A\" when " + repeat("(", depth) + "x" + repeat(")", depth) + ": stop";
  };
  const auto nots = [](std::size_t depth) {
    return kHead + "step \"A\" when " + repeat("not ", depth) + "x: stop";
  };
  const auto lists = [](std::size_t depth) {
    return kHead + "step \"A\" otherwise: show \"x\" with {\"a\": " + repeat("[", depth) +
           repeat("]", depth) + "}";
  };
  const auto wheres = [](std::size_t depth) {
    return kHead + "step \"A\" when " + repeat("did \"e\" where ", depth) + "x: stop";
  };
  for (const auto& make : {std::function(brackets), std::function(nots), std::function(lists),
                           std::function(wheres)}) {
    EXPECT_EQ(codes_of(make(kMaxNesting - 1)), Codes()) << make(3);
    EXPECT_EQ(codes_of(make(kMaxNesting)), Codes{"too-deep"}) << make(3);
    EXPECT_EQ(codes_of(make(100'000)), Codes{"too-deep"}) << make(3);
  }
}

TEST(Limits, Durations) {
  const auto after = [](const std::string& duration) {
    return codes_of(kHead + "step \"A\" after " + duration + ": stop");
  };
  EXPECT_EQ(after("1000 years"), Codes());
  EXPECT_EQ(after("1001 years"), Codes{"duration-too-long"});
  EXPECT_EQ(after("31622400000 seconds"), Codes());
  EXPECT_EQ(after("31622486400 seconds"), Codes{"duration-too-long"});
  EXPECT_EQ(after("1e300 seconds"), Codes{"duration-too-long"});
  EXPECT_EQ(after("1e300 years"), Codes{"duration-too-long"});
  EXPECT_EQ(after("0 seconds"), Codes());
}

TEST(Limits, Mistakes) {
  const auto found = codes_of(kHead + "step \"A\" otherwise:\n" + repeat("oops\n", 5'000));
  ASSERT_EQ(found.size(), kMaxDiagnostics + 1);
  EXPECT_EQ(found.front(), "expected-action");
  EXPECT_EQ(found.back(), "too-many-mistakes");
  // Of the checker, too.
  std::string text = kHead + "gather contacts continuously\nstep \"A\"\n";
  text += repeat("when nothing_such: stop\n", kMaxRulesPerStep);
  text += "step \"B\"\n" + repeat("when nothing_such: stop\n", kMaxRulesPerStep);
  EXPECT_LE(analyse(text, sample_catalogue()).diagnostics.size(), kMaxDiagnostics + 1);
}

TEST(BadBytes, AreToldOncePerLine) {
  const std::string text =
      "track \"T\xff\xfe\"\n# \x80 in a comment\nstep \"A\"\n  otherwise:\n    stop as \"x" +
      std::string(1, '\0') + "y\"";
  const Parsed parsed = parse(text);
  EXPECT_EQ(codes(parsed.diagnostics), (Codes{"invalid-utf8", "invalid-utf8", "invalid-utf8"}));
  EXPECT_EQ(parsed.diagnostics[0].span.line, 1U);
  EXPECT_EQ(parsed.diagnostics[0].span.column, 9U);
  EXPECT_EQ(parsed.diagnostics[1].span.line, 2U);
  EXPECT_EQ(parsed.diagnostics[2].span.line, 5U);
  EXPECT_EQ(parsed.diagnostics[2].message, "a zero byte stands here");
}

TEST(BadBytes, ByteOrderMarkAndCarriageReturnsAreTaken) {
  const Parsed parsed = parse(
      "\xef\xbb\xbftrack \"T\"\r\nstep \"A\"\r\n  # c\r\n  otherwise:\r\n    run on \"d\" "
      "\"\"\"\r\n      a\r\n      b\r\n    \"\"\"\r\n");
  EXPECT_EQ(codes(parsed.diagnostics), Codes());
  EXPECT_EQ(format(parsed.track),
            "track \"T\"\n\nstep \"A\"\n  # c\n  otherwise:\n    run on \"d\" \"\"\"\n        a\n  "
            "      b\n      \"\"\"\n");
}

// ---- Input that nobody wrote
// ---------------------------------------------------------------------

std::uint64_t seed() {
  const char* given = std::getenv("TURNOUT_LANG_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
}

int rounds(int usual) {
  const char* given = std::getenv("TURNOUT_LANG_CASES");
  return given != nullptr ? static_cast<int>(std::strtol(given, nullptr, 10)) : usual;
}

// Whatever comes in: no crash, places inside the text, messages on one line; and what was read
// without errors is a track like any other.
void try_out(const std::string& text) {
  const Analysis analysis = analyse(text, sample_catalogue());
  for (const Diagnostic& d : analysis.diagnostics) {
    ASSERT_LE(d.span.begin, d.span.end);
    ASSERT_LE(d.span.end, text.size());
    ASSERT_GE(d.span.line, 1U);
    ASSERT_GE(d.span.column, 1U);
    ASSERT_EQ(d.message.find('\n'), std::string::npos);
    ASSERT_FALSE(render(d, "f", text, true).empty());
  }
  ASSERT_FALSE(to_json(analysis.diagnostics, "f").empty());
  check_runnable(analysis.track);
  const Parsed parsed = parse(text);
  if (parsed.ok()) {
    const std::string formatted = format(parsed.track);
    const Parsed again = parse(formatted);
    ASSERT_TRUE(again.ok()) << formatted;
    ASSERT_TRUE(again.track == parsed.track) << text << "\n---\n" << formatted;
  }
}

TEST(Robustness, RandomBytes) {
  const std::uint64_t s = seed();
  SCOPED_TRACE("TURNOUT_LANG_SEED=" + std::to_string(s));
  std::mt19937_64 random(s);
  for (int i = 0; i < rounds(3'000); ++i) {
    std::string text(random() % 300, '\0');
    for (char& c : text) {
      c = static_cast<char>(random());
    }
    ASSERT_NO_FATAL_FAILURE(try_out(text));
  }
}

TEST(Robustness, RandomWords) {
  const std::uint64_t s = seed();
  SCOPED_TRACE("TURNOUT_LANG_SEED=" + std::to_string(s));
  std::mt19937_64 random(s);
  static const std::vector<std::string> kWords = {"track",
                                                  "step",
                                                  "test",
                                                  "when",
                                                  "on",
                                                  "after",
                                                  "otherwise",
                                                  "for",
                                                  "every",
                                                  "once",
                                                  "at",
                                                  "go",
                                                  "to",
                                                  "stop",
                                                  "stay",
                                                  "send",
                                                  "email",
                                                  "call",
                                                  "webhook",
                                                  "with",
                                                  "set",
                                                  "is",
                                                  "not",
                                                  "one",
                                                  "of",
                                                  "and",
                                                  "or",
                                                  "(",
                                                  ")",
                                                  "{",
                                                  "}",
                                                  "[",
                                                  "]",
                                                  ",",
                                                  ":",
                                                  "\"a\"",
                                                  "\"",
                                                  "\"\"\"",
                                                  "5",
                                                  "5%",
                                                  "days",
                                                  "2026-12-01",
                                                  "09:00",
                                                  "[UTC]",
                                                  "`x`",
                                                  "x",
                                                  "event.x",
                                                  "#",
                                                  "\n",
                                                  "\n  ",
                                                  "gather",
                                                  "contacts",
                                                  "continuously",
                                                  "from",
                                                  "query",
                                                  "leave",
                                                  "hold",
                                                  "out",
                                                  "quiet",
                                                  "time",
                                                  "zone",
                                                  "about",
                                                  "look",
                                                  "up",
                                                  "check",
                                                  "did",
                                                  "has",
                                                  "tag",
                                                  "=",
                                                  "!=",
                                                  "given",
                                                  "expect",
                                                  "no",
                                                  "between",
                                                  "within",
                                                  "the",
                                                  "last",
                                                  "monday",
                                                  "as",
                                                  "“",
                                                  "'",
                                                  "\\",
                                                  "\t",
                                                  "-",
                                                  "1e999"};
  for (int i = 0; i < rounds(3'000); ++i) {
    std::string text = random() % 4 == 0 ? "" : "track \"T\" step \"A\" when ";
    for (auto n = random() % 60; n > 0; --n) {
      text += kWords[random() % kWords.size()] + (random() % 8 == 0 ? "" : " ");
    }
    ASSERT_NO_FATAL_FAILURE(try_out(text));
  }
}

TEST(Robustness, MutatedTracks) {
  const std::uint64_t s = seed();
  SCOPED_TRACE("TURNOUT_LANG_SEED=" + std::to_string(s));
  std::mt19937_64 random(s);
  for (int i = 0; i < rounds(1'500); ++i) {
    std::string text = format(random_track(random(), 8));
    for (auto n = 1 + random() % 6; n > 0 && !text.empty(); --n) {
      const std::size_t at = random() % text.size();
      const std::size_t length = std::min<std::size_t>(random() % 12, text.size() - at);
      switch (random() % 4) {
        case 0:
          text.erase(at, length);
          break;
        case 1:
          text[at] = static_cast<char>(random());
          break;
        case 2:
          text.insert(at, text.substr(random() % text.size(), random() % 20));
          break;
        default:
          text.insert(at, 1, "\"`\\:#{}()\n"[random() % 10]);
      }
    }
    ASSERT_NO_FATAL_FAILURE(try_out(text));
  }
}

// Of this thread alone, since the machine may be busy with other things.
double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// The least of a few attempts.
double seconds_for(const char* piece, std::size_t bytes) {
  const std::string text =
      kHead + "step \"A\" when " + repeat(piece, bytes / std::string(piece).size());
  double least = 1e9;
  for (int attempt = 0; attempt < 2; ++attempt) {
    const double begin = processor_seconds();
    const Analysis analysis = analyse(text, sample_catalogue());
    for (std::size_t i = 0; i < std::min<std::size_t>(10, analysis.diagnostics.size()); ++i) {
      render(analysis.diagnostics[i], "f", text, false);
    }
    least = std::min(least, processor_seconds() - begin);
  }
  return least;
}

// Text that makes a careless scanner quadratic: eight times as much of it may take about eight
// times as long, and not sixty-four times.
TEST(Robustness, LongInputsTakeLinearTime) {
  constexpr std::size_t kBytes = 30'000;
  constexpr double kTooShortToTell = 0.004;
  for (const char* piece : {"„",
                            "'",
                            "“",
                            "`",
                            "\"",
                            "\\\"\"\"",
                            "09:00[",
                            "\"\\q",
                            "#\n",
                            "(",
                            "x.",
                            "1e",
                            "é",
                            "\"\"\"",
                            "step \"\"\"\n",
                            "when ",
                            "x\n",
                            "go to \"A\"\n",
                            "after 1 day ",
                            "{\"a\":",
                            "\xff\n",
                            "a\n\xff",
                            "not x or "}) {
    const double little = std::max(kTooShortToTell, seconds_for(piece, kBytes));
    EXPECT_LT(seconds_for(piece, 8 * kBytes), 28 * little) << piece;
  }
}

}  // namespace
}  // namespace turnout::lang
