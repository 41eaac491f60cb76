// Offsets, lines and columns.

#include "edit/place.h"

#include <gtest/gtest.h>

#include <random>

namespace turnout::edit {
namespace {

constexpr Units kAllUnits[] = {Units::kUtf8, Units::kUtf16, Units::kUtf32};

TEST(Lines, CountWhatTheEditorCounts) {
  const std::string text = "a\u00e4\u20ac\U0001F600b\nc";  // 1, 2, 3 and 4 bytes
  const Lines lines(text);
  const std::size_t b = text.find('b');
  EXPECT_EQ(lines.position(text, b, Units::kUtf8), (Position{0, 10}));
  EXPECT_EQ(lines.position(text, b, Units::kUtf16), (Position{0, 5}));
  EXPECT_EQ(lines.position(text, b, Units::kUtf32), (Position{0, 4}));
  EXPECT_EQ(lines.position(text, text.size(), Units::kUtf16), (Position{1, 1}));
  EXPECT_EQ(lines.offset(text, {0, 5}, Units::kUtf16), b);
  EXPECT_EQ(lines.offset(text, {0, 10}, Units::kUtf8), b);
}

TEST(Lines, AColumnWithinACharacterIsItsBeginning) {
  const std::string text = "x\U0001F600y";
  const Lines lines(text);
  EXPECT_EQ(lines.offset(text, {0, 2}, Units::kUtf16), 1U);
  EXPECT_EQ(lines.offset(text, {0, 3}, Units::kUtf8), 1U);
  EXPECT_EQ(lines.position(text, 3, Units::kUtf16), (Position{0, 1}));
}

TEST(Lines, EndInAnyOfThreeWays) {
  const std::string text = "a\nb\r\nc\rd";
  const Lines lines(text);
  EXPECT_EQ(lines.count(), 4U);
  EXPECT_EQ(lines.position(text, text.find('c'), Units::kUtf16), (Position{2, 0}));
  EXPECT_EQ(lines.position(text, text.find('d'), Units::kUtf16), (Position{3, 0}));
  EXPECT_EQ(lines.offset(text, {1, 99}, Units::kUtf16), text.find('\r'));
}

TEST(Lines, WhatLiesBeyondIsTheEnd) {
  const std::string text = "ab\ncd\n";
  const Lines lines(text);
  EXPECT_EQ(lines.offset(text, {0, 99}, Units::kUtf16), 2U);
  EXPECT_EQ(lines.offset(text, {2, 0}, Units::kUtf16), 6U);
  EXPECT_EQ(lines.offset(text, {9, 9}, Units::kUtf16), 6U);
  EXPECT_EQ(lines.offset(text, {0, SIZE_MAX}, Units::kUtf16), 2U);
  EXPECT_EQ(lines.position(text, 99, Units::kUtf16), (Position{2, 0}));
  EXPECT_EQ(Lines("").position("", 0, Units::kUtf16), (Position{0, 0}));
  EXPECT_EQ(Lines("").offset("", {0, 3}, Units::kUtf16), 0U);
}

TEST(Lines, BytesThatAreNoCharactersCountAsOne) {
  const std::string text = "\xff\xe2\x82z";
  const Lines lines(text);
  EXPECT_EQ(lines.position(text, 3, Units::kUtf16), (Position{0, 3}));
  EXPECT_EQ(lines.offset(text, {0, 3}, Units::kUtf16), 3U);
}

// Counted again without marks.
Position slow_position(const std::string& text, std::size_t offset, Units units) {
  Position position;
  for (std::size_t i = 0; i < offset;) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (text[i] == '\n') {
      ++position.line;
      position.column = 0;
    } else {
      position.column += units == Units::kUtf8                  ? bytes
                         : units == Units::kUtf16 && bytes == 4 ? 2
                                                                : 1;
    }
    i += bytes;
  }
  return position;
}

TEST(Lines, AreTheSameBothWaysInLongLines) {
  std::mt19937 random(1);
  std::string text;
  std::vector<std::size_t> begins;
  for (int i = 0; i < 20'000; ++i) {
    static constexpr const char* kCharacters[] = {"a", "\u00e4", "\u20ac", "\U0001F600"};
    begins.push_back(text.size());
    text += random() % 5'000 == 0 ? "\n" : kCharacters[random() % 4];
  }
  const Lines lines(text);
  ASSERT_GT(lines.count(), 1U);
  for (int i = 0; i < 500; ++i) {
    const std::size_t offset = begins[random() % begins.size()];
    for (const Units units : kAllUnits) {
      const Position position = lines.position(text, offset, units);
      EXPECT_EQ(position, slow_position(text, offset, units)) << offset;
      EXPECT_EQ(lines.offset(text, position, units), offset);
    }
  }
}

TEST(Apply, CutsWhatLiesBeyond) {
  std::string text = "abc";
  apply(text, {{1, 2}, "XY"});
  EXPECT_EQ(text, "aXYc");
  apply(text, {{9, 2}, "!"});
  EXPECT_EQ(text, "aXYc!");
  apply(text, {{3, 1}, "-"});
  EXPECT_EQ(text, "aXY-c!");
}

}  // namespace
}  // namespace turnout::edit
