// Whole tracks: each file of tests/lang/tracks parses, formats and checks clean.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "lang/checker.h"
#include "lang/formatter.h"
#include "lang/parser.h"
#include "samples.h"

namespace turnout::lang {
namespace {

std::string all(const std::vector<Diagnostic>& diagnostics, std::string_view text) {
  std::string out;
  for (const Diagnostic& d : diagnostics) {
    out += render(d, "track", text, false);
  }
  return out;
}

std::vector<std::filesystem::path> tracks() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(TURNOUT_SOURCE_DIR "/tests/lang/tracks")) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  EXPECT_GE(paths.size(), 4U);
  return paths;
}

TEST(Examples, ParseFormatAndCheckClean) {
  for (const auto& path : tracks()) {
    SCOPED_TRACE(path);
    const std::string text = read_file(path);
    const Parsed parsed = parse(text);
    EXPECT_EQ(all(parsed.diagnostics, text), "");
    EXPECT_EQ(all(check(parsed.track, sample_catalogue()), text), "");
    const std::string formatted = format(parsed.track);
    const Parsed again = parse(formatted);
    EXPECT_EQ(all(again.diagnostics, formatted), "");
    EXPECT_TRUE(again.track == parsed.track) << formatted;
    EXPECT_EQ(format(again.track), formatted);
  }
}

// The layout is the one the documentation shows.
TEST(Examples, CanonicalTracksAreLeftAsTheyAre) {
  for (const char* name : {"welcome-5", "welcome-5-hops"}) {
    const std::string text =
        read_file(std::string(TURNOUT_SOURCE_DIR "/tests/lang/tracks/") + name + ".track");
    EXPECT_EQ(format(parse(text).track), text);
  }
}

TEST(Examples, BenchTracksAreRun) {
  for (const char* name : {"welcome-5", "welcome-5-hops"}) {
    const std::string text =
        read_file(std::string(TURNOUT_SOURCE_DIR "/tests/lang/tracks/") + name + ".track");
    EXPECT_EQ(all(check_runnable(parse(text).track), text), "");
  }
}

}  // namespace
}  // namespace turnout::lang
