// Widths and lines of text.

#include "graph/text.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace turnout::graph {
namespace {

constexpr Font kFont{10, 12, false};
using Lines = std::vector<std::string>;

TEST(TextTest, WidthsFollowTheLetters) {
  EXPECT_EQ(text_width("", kFont), 0);
  EXPECT_LT(text_width("iiii", kFont), text_width("mmmm", kFont) / 3);
  EXPECT_DOUBLE_EQ(text_width("ab", kFont), text_width("a", kFont) + text_width("b", kFont));
  EXPECT_NEAR(text_width("nnnnnnnnnn", kFont), 55.6, 4);  // Helvetica: 0.556 em
  EXPECT_DOUBLE_EQ(text_width("n", {20, 12, false}), 2 * text_width("n", kFont));
  EXPECT_GT(text_width("n", {10, 12, true}), text_width("n", kFont));
}

TEST(TextTest, WidthsOfOtherScripts) {
  EXPECT_GT(text_width("漢", kFont), 1.5 * text_width("é", kFont));
  EXPECT_DOUBLE_EQ(text_width("e\u0301", kFont), text_width("e", kFont));
  EXPECT_GT(text_width("\xFF\xC3", kFont), 0);  // no UTF-8, and no crash
}

TEST(TextTest, WrapsAtBlanks) {
  const double width = text_width("one two", kFont);
  EXPECT_EQ(wrap("one two", kFont, width, 3), (Lines{"one two"}));
  EXPECT_EQ(wrap(" one\n two\tthree  ", kFont, width, 3), (Lines{"one two", "three"}));
  EXPECT_EQ(wrap(" \n ", kFont, width, 3), Lines());
}

TEST(TextTest, ShortensWhatIsTooMuch) {
  const double width = text_width("one two", kFont);
  const Lines lines = wrap("one two three four five six seven", kFont, width, 2);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], "one two");
  EXPECT_TRUE(lines[1].ends_with("…")) << lines[1];
  EXPECT_TRUE(lines[1].starts_with("three")) << lines[1];
  EXPECT_LE(text_width(lines[1], kFont), width);
}

TEST(TextTest, BreaksAWordThatIsTooLongBetweenCharacters) {
  const std::string word = "ééééééééééééééééé";
  const Lines lines = wrap("a " + word, kFont, 40, 9);
  std::string joined;
  for (const std::string& line : lines) {
    EXPECT_LE(text_width(line, kFont), 40);
    EXPECT_EQ(base::first_invalid_utf8(line), std::string::npos) << line;
    joined += line;
  }
  EXPECT_EQ(joined, "a" + word);
}

TEST(TextTest, EvenLinesKeepEveryWord) {
  const std::string text = "when previous is at least 1 and more words stand here";
  const double width = text_width("when previous is at least 1 and more words stand", kFont) + 1;
  EXPECT_EQ(wrap(text, kFont, width, 3).back(), "here");
  const Lines even = wrap_evenly(text, kFont, width, 3);
  ASSERT_EQ(even.size(), 2U);
  EXPECT_EQ(even[0] + " " + even[1], text);
  EXPECT_GT(text_width(even[1], kFont), text_width(even[0], kFont) / 2);
  EXPECT_EQ(wrap_evenly("short", kFont, width, 3), (Lines{"short"}));
}

}  // namespace
}  // namespace turnout::graph
