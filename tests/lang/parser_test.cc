// Single points of the grammar, comments, recovery, and how mistakes are shown.

#include "lang/parser.h"

#include <gtest/gtest.h>

#include <string>

#include "lang/checker.h"
#include "lang/formatter.h"
#include "lang/lexer.h"
#include "lang/words.h"
#include "samples.h"

namespace turnout::lang {
namespace {

const std::string kFormattedHead = "track \"T\"\n\n";

std::string formatted(const std::string& text) {
  const Parsed parsed = parse(text);
  for (const Diagnostic& d : parsed.diagnostics) {
    ADD_FAILURE() << render(d, "f", text, false);
  }
  return format(parsed.track);
}

// ---- Words --------------------------------------------------------------------------------------

TEST(Words, ReservedOnesAreThoseOfTheDocumentation) {
  const std::string list =
      "and or not is has did does on in true false now today missing present one more less at "
      "between before after "
      "within the contains starts ends matches when otherwise for where as step track test gather "
      "enter leave hold "
      "quiet look send call show run set clear increase decrease add remove record put take go "
      "stop stay expect given";
  std::size_t begin = 0;
  while (begin < list.size()) {
    const std::size_t end = std::min(list.find(' ', begin), list.size());
    const std::string word = list.substr(begin, end - begin);
    EXPECT_TRUE(is_reserved(word)) << word;
    std::string upper = word;
    upper[0] = static_cast<char>(upper[0] - 'a' + 'A');
    EXPECT_TRUE(is_reserved(upper)) << upper;
    begin = end + 1;
  }
  for (const char* word : {"email", "day", "event", "start", "once", "every", "time", "zone", "no",
                           "to", "from", ""}) {
    EXPECT_FALSE(is_reserved(word)) << word;
  }
}

TEST(Words, KeywordsInAnyCase) {
  EXPECT_EQ(formatted("TRACK \"T\" GATHER Contacts CONTINUOUSLY Step \"A\" When X Is Not ONE Of 1: "
                      "SEND Email \"e\" Otherwise: STOP"),
            "track \"T\"\n  gather contacts continuously\n\nstep \"A\"\n  when X is not one of "
            "1:\n    send email \"e\"\n  otherwise:\n    stop\n");
}

TEST(Words, OrdinaryOutsideTheirConstruct) {
  EXPECT_EQ(
      formatted(kFormattedHead + "step \"A\"\n  when event and no or once and every is start and "
                                 "stopped is day:\n    set weekdays to continuously\n"),
      kFormattedHead +
          "step \"A\"\n  when event and no or once and every is start and stopped is day:\n  "
          "  set weekdays to continuously\n");
  EXPECT_EQ(formatted("track \"T\" leave when no as \"x\" leave when no longer gathered"),
            "track \"T\"\n  leave when no as \"x\"\n  leave when no longer gathered\n");
  EXPECT_EQ(
      formatted(kFormattedHead + "test \"t\"\n  expect no is 5\n  expect no email \"x\"\n  expect "
                                 "email is 5\n  expect stopped is true\n"),
      kFormattedHead +
          "test \"t\"\n  expect no is 5\n  expect no email \"x\"\n  expect email is 5\n  "
          "expect stopped is true\n");
}

// ---- Look-ahead ---------------------------------------------------------------------------------

TEST(LookAhead, AfterBehindGoTo) {
  const std::string rule = "step \"A\"\n  otherwise:\n    go to \"B\"";
  EXPECT_EQ(formatted(kFormattedHead + rule + " after 2 days 1 hour\n"),
            kFormattedHead + rule + " after 2 days 1 hour\n");
  EXPECT_EQ(formatted(kFormattedHead + rule + " after 2 days 1 hour: stop"),
            kFormattedHead + rule + "\n  after 2 days 1 hour:\n    stop\n");
  EXPECT_EQ(formatted(kFormattedHead + rule + " after 2 days after 3 days: stop"),
            kFormattedHead + rule + " after 2 days\n  after 3 days:\n    stop\n");
  EXPECT_EQ(formatted(kFormattedHead + rule + " at 09:00 on monday, friday on \"x\": stop"),
            kFormattedHead + rule + " at 09:00 on monday, friday\n  on \"x\":\n    stop\n");
  EXPECT_EQ(formatted(kFormattedHead + rule + " at 09:00 on \"x\": stop"),
            kFormattedHead + rule + " at 09:00\n  on \"x\":\n    stop\n");
}

TEST(LookAhead, StayForOrTheNextArm) {
  EXPECT_EQ(
      formatted(kFormattedHead + "step \"A\" otherwise: stay for 50%: stay for 5 days"),
      kFormattedHead + "step \"A\"\n  otherwise:\n    stay\n  for 50%:\n    stay for 5 days\n");
}

TEST(LookAhead, OrBehindOneOf) {
  EXPECT_EQ(formatted(kFormattedHead + "step \"A\" when x is one of 1, 2 or y:"),
            kFormattedHead + "step \"A\"\n  when x is one of 1, 2 or y:\n");
  EXPECT_EQ(formatted(kFormattedHead + "step \"A\" when x is one of 1, 2 or 3 is y:"),
            kFormattedHead + "step \"A\"\n  when x is one of 1, 2 or 3 is y:\n");
  const Parsed parsed =
      parse(kFormattedHead + "step \"A\" when x is one of 1 or 2026-12-01 09:00 [UTC] or now:");
  EXPECT_EQ(parsed.diagnostics.size(), 2U);
  EXPECT_TRUE(parsed.ok());
  EXPECT_EQ(format(parsed.track),
            kFormattedHead + "step \"A\"\n  when x is one of 1, 2026-12-01 09:00 [UTC], now:\n");
}

TEST(Precedence, AndBindsCloserAndBracketsStay) {
  const std::string rule =
      "step \"A\"\n  when a or b and not c and (d or e) or (f or g) or not (h and i):\n";
  EXPECT_EQ(formatted(kFormattedHead + rule), kFormattedHead + rule);
  EXPECT_EQ(formatted(kFormattedHead + "step \"A\" when ((a) and (not (b))):"),
            kFormattedHead + "step \"A\"\n  when a and not b:\n");
}

// ---- Texts --------------------------------------------------------------------------------------

TEST(Texts, RawBlocks) {
  EXPECT_EQ(raw_value("one line"), "one line");
  EXPECT_EQ(raw_value("\n    a\n      b\n\n    c\n  "), "a\n  b\n\nc");
  EXPECT_EQ(raw_value("  \n    a\n"), "a");
  EXPECT_EQ(raw_value("a\n    b\n      c"), "a\nb\n  c");
  EXPECT_EQ(raw_value("a \\\"\"\" b \\n"), "a \"\"\" b \\n");
  EXPECT_EQ(raw_value("\r\n  a\r\n  b\r\n"), "a\nb");
  EXPECT_EQ(raw_value(""), "");
  EXPECT_EQ(raw_value("\n"), "");
  EXPECT_EQ(raw_value("\n\n"), "");
}

TEST(Texts, Escapes) {
  const Tokens tokens = lex(R"("a\"b\\c\nd\te\u{1F600}\u{41}")");
  ASSERT_EQ(tokens.diagnostics.size(), 0U);
  EXPECT_EQ(tokens.texts.at(0), "a\"b\\c\nd\te\U0001F600A");
}

// ---- Comments -----------------------------------------------------------------------------------

TEST(Comments, StayWithTheirStatements) {
  const std::string text = R"(# of the file's first statement
# in two lines
track "T"  # the track
  # of about
  about "x"  # behind about

  # of gather
  gather contacts where a
    every 5 minutes
    start at "A"  # behind gather

# of the step
step "A"  # the step
  # of its about
  about "y"  # behind it
  # of look up
  look up from "d" query """q"""  # behind look up
  # of check
  check every 5 minutes  # behind check
  # of the rule
  when a:  # the rule
    # of the action
    #   indented, and an empty one:
    #
    add tag "x"  # the action
    # of the move
    go to "B"  # the move
  otherwise:

# of the test
test "t"  # the test
  # of a line
  given a is 1  # behind it

# of the file
# and again
)";
  EXPECT_EQ(formatted(text), text);
}

TEST(Comments, InsideAStatementMoveAheadOfIt) {
  EXPECT_EQ(formatted("track \"T\"\nstep # one\n \"A\"\n  when a # two\n    # three\n    and b: # "
                      "four\n    go to # five\n \"A\" # six\n"),
            "track \"T\"\n\n# one\nstep \"A\"\n  # two\n  # three\n  when a and b:  # four\n    # "
            "five\n    go to \"A\"  # six\n");
}

TEST(Comments, AreComparedBySpansAreNot) {
  EXPECT_FALSE(parse("track \"T\" # a").track == parse("track \"T\" # b").track);
  EXPECT_TRUE(parse("track \"T\"   about \"x\"").track ==
              parse("\n\ntrack \"T\"\n about \"x\"").track);
}

// ---- Layout -------------------------------------------------------------------------------------

TEST(Layout, LongConditionsAndJsonBreak) {
  const std::string a = "plan is \"a rather long name of a plan\"";
  const std::string text =
      kFormattedHead + "step \"A\"\n  when " + a + "\n      and " + a + "\n      and (" + a +
      " or b):\n" + "    call webhook \"sales\" with {\n      \"one\": \"" + std::string(80, 'x') +
      "\",\n      \"two\": [1, 2],\n      \"three\": {}\n    }\n";
  EXPECT_EQ(formatted(text), text);
}

TEST(Layout, WordsForSymbolsAndBackquotesWhereNeeded) {
  EXPECT_EQ(
      formatted(kFormattedHead +
                "step \"A\" when a = 1 and b != 2 and c < 3 and d <= 4 and e > 5 and f >= "
                "6 and `g` and `is`:"),
      kFormattedHead +
          "step \"A\"\n  when a is 1\n      and b is not 2\n      and c is less than 3\n      and "
          "d is at most 4\n"
          "      and e is more than 5\n      and f is at least 6\n      and g\n      and `is`:\n");
}

// ---- Recovery -----------------------------------------------------------------------------------

// Issue 2, measure 5: a track with ten mistakes has ten of them told, each with its line.
TEST(Recovery, TenMistakesInOneFileAreAllTold) {
  const std::string text = R"(track "Ten mistakes"
  gathr contacts continuously
  hold out 150% as "control"

step "Greet"
  when emial is missing:
    stop as "no address"
  when score is at least "forty":
    send email "welcom"
  when plan is "trial":
    go to "Nugde" after 2 dayz
  when opted_out
    stop as "opted out"
  otherwise:
    sned email "welcome"
    go to "Nugde"

step "Nudge"
  on "x" where event.size is bigger than 3:
    stop
  otherwise:
    call webhook "sales" with { "score" score }
)";
  const struct {
    std::uint32_t line;
    const char* code;
  } expected[] = {{2, "expected-clause"},      {3, "bad-percent"},      {6, "unknown-field"},
                  {8, "types-differ"},         {9, "unknown-template"}, {11, "unknown-unit"},
                  {12, "missing-colon"},       {15, "expected-action"}, {16, "unknown-step"},
                  {19, "expected-comparison"}, {22, "expected-json"}};
  const Analysis analysis = analyse(text, sample_catalogue());
  ASSERT_EQ(analysis.diagnostics.size(), std::size(expected));
  for (std::size_t i = 0; i < std::size(expected); ++i) {
    EXPECT_EQ(analysis.diagnostics[i].span.line, expected[i].line);
    EXPECT_EQ(analysis.diagnostics[i].code, expected[i].code);
    EXPECT_EQ(analysis.diagnostics[i].severity, Severity::kError);
  }
}

// ---- How mistakes are shown ---------------------------------------------------------------------

Diagnostic at(std::uint32_t line, std::uint32_t column, std::uint32_t begin, std::uint32_t end,
              std::string hint = "") {
  return {Severity::kError, "x", "wrong", {line, column, begin, end}, std::move(hint)};
}

TEST(Render, AsTheDocumentationShows) {
  const std::string text = std::string(13, '\n') + "    go to \"Nugde\" after 2 days\n";
  const Diagnostic d{Severity::kError,
                     "unknown-step",
                     "step \"Nugde\" does not exist",
                     {14, 11, 23, 30},
                     "did you mean \"Nudge\"?"};
  EXPECT_EQ(render(d, "welcome.track", text, false),
            "welcome.track:14:11: error: step \"Nugde\" does not exist\n"
            "   14 |     go to \"Nugde\" after 2 days\n"
            "      |           ^^^^^^^ did you mean \"Nudge\"?\n");
}

TEST(Render, TabsAreOneColumnAndCodePointsAreCounted) {
  EXPECT_EQ(render(at(1, 5, 6, 8), "f", "\té\tü\"x\"", false),
            "f:1:5: error: wrong\n    1 |  é ü\"x\"\n      |     ^^\n");
}

TEST(Render, EndOfLineEndOfTextAndSeveralLines) {
  EXPECT_EQ(render(at(1, 4, 3, 3, "hint"), "f", "abc\ndef", false),
            "f:1:4: error: wrong\n    1 | abc\n      |    ^ hint\n");
  EXPECT_EQ(render(at(2, 4, 7, 7), "f", "abc\ndef", false),
            "f:2:4: error: wrong\n    2 | def\n      |    ^\n");
  EXPECT_EQ(render(at(1, 2, 1, 7), "f", "abc\ndef", false),
            "f:1:2: error: wrong\n    1 | abc\n      |  ^^\n");
  EXPECT_EQ(render(at(1, 2, 1, 4), "f", "abc\r\ndef", false),
            "f:1:2: error: wrong\n    1 | abc\n      |  ^^\n");
  EXPECT_EQ(render(at(1, 1, 0, 0), "f", "", false), "f:1:1: error: wrong\n    1 |\n      | ^\n");
}

TEST(Render, BrokenBytesAndControlCharacters) {
  EXPECT_EQ(render(at(1, 4, 3, 4), "f", "a\xff\x1b\x80z", false),
            "f:1:4: error: wrong\n    1 | a???z\n      |    ^\n");
}

TEST(Render, OnlyThePartAroundThePlaceOfALongLine) {
  const std::string text(1'000'000, 'x');
  const std::string shown = render(at(1, 500'001, 500'000, 500'010), "f", text, false);
  EXPECT_LT(shown.size(), 600U);
  EXPECT_NE(shown.find("…x"), std::string::npos);
  EXPECT_NE(shown.find("| " + std::string(61, ' ') + "^^^^^^^^^^\n"), std::string::npos) << shown;
  // An underline longer than what is shown ends with it.
  EXPECT_LT(render(at(1, 1, 0, 900'000), "f", text, false).size(), 600U);
}

TEST(Render, ColourOnlyWhenAsked) {
  EXPECT_EQ(render(at(1, 1, 0, 1), "f", "a", false).find('\x1b'), std::string::npos);
  EXPECT_NE(render(at(1, 1, 0, 1), "f", "a", true).find("\x1b[1;31merror:\x1b[0m"),
            std::string::npos);
}

TEST(Json, HasEveryPartAndEscapes) {
  Diagnostic d = at(3, 4, 5, 6, "a \"hint\"\n");
  d.message = "it\\is\x01";
  EXPECT_EQ(to_json({}, "f"), "[]");
  EXPECT_EQ(
      to_json(std::vector{d, at(1, 1, 0, 0)}, "a\"b"),
      R"([{"file":"a\"b","line":3,"column":4,"begin":5,"end":6,"severity":"error","code":"x","message":"it\\is\u0001","hint":"a \"hint\"\u000a"},)"
      R"({"file":"a\"b","line":1,"column":1,"begin":0,"end":0,"severity":"error","code":"x","message":"wrong"}])");
}

}  // namespace
}  // namespace turnout::lang
