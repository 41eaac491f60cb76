// The files of tests/lang/diagnostics: one kind of mistake after another, each of them provoked.

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "samples.h"
#include "stanzas.h"

namespace turnout::lang {
namespace {

TEST(Diagnostics, SayWhatTheFilesExpect) { expect_as_written("diagnostics"); }

// A kind of diagnostic that no test provokes may be wrong without anybody seeing it.
TEST(Diagnostics, EveryCodeIsTested) {
  std::set<std::string> tested;
  for (const StanzaFile& file : stanza_files("diagnostics")) {
    for (const Stanza& stanza : file.stanzas) {
      for (const Diagnostic& d : diagnostics_of(stanza)) {
        tested.insert(d.code);
      }
    }
  }
  const std::string in_code = read_file(TURNOUT_SOURCE_DIR "/tests/lang/limits_test.cc");
  for (const Code& code : all_codes()) {
    const bool found = tested.contains(code.id) ||
                       in_code.find("\"" + std::string(code.id) + "\"") != std::string::npos;
    EXPECT_TRUE(found) << code.id << " has no test";
  }
}

TEST(Diagnostics, CodesAreOrderedAndExplained) {
  const auto codes = all_codes();
  for (std::size_t i = 0; i < codes.size(); ++i) {
    EXPECT_GT(std::string(codes[i].meaning).size(), 5U) << codes[i].id;
    if (i > 0) {
      EXPECT_LT(std::string(codes[i - 1].id), std::string(codes[i].id));
    }
  }
}

TEST(Diagnostics, NeverSaySyntaxError) { expect_plain_words("diagnostics"); }

}  // namespace
}  // namespace turnout::lang
