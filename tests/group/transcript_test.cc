// Every tests/group/*.txt is a scenario of docs/group.md. REWRITE=1 in the environment writes the
// outputs anew; whoever commits them can explain the difference.

#include "group/transcript.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace turnout::group {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> transcripts() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(TURNOUT_SOURCE_DIR) / "tests/group")) {
    if (entry.path().extension() == ".txt") {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

class Transcript : public testing::TestWithParam<fs::path> {};

TEST_P(Transcript, PlaysAsWritten) {
  std::ifstream file(GetParam());
  std::stringstream text;
  text << file.rdbuf();
  ASSERT_FALSE(text.str().empty());
  const std::string played = play_transcript(text.str());
  if (std::getenv("REWRITE") != nullptr) {
    std::ofstream(GetParam()) << played;
    return;
  }
  EXPECT_EQ(text.str(), played) << "REWRITE=1 writes " << GetParam() << " anew";
}

INSTANTIATE_TEST_SUITE_P(Group, Transcript, testing::ValuesIn(transcripts()),
                         [](const testing::TestParamInfo<fs::path>& tested) {
                           std::string name = tested.param.stem().string();
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace turnout::group
