// The files of tests/lang/mistakes: whole tracks as three people would get them wrong who bring the
// habits of other programs and languages with them. Whoever changes what is said reads it aloud as
// that person: where it is, what is wrong, and what to do.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "stanzas.h"

namespace turnout::lang {
namespace {

TEST(Mistakes, AreToldAsTheFilesExpect) { expect_as_written("mistakes"); }

TEST(Mistakes, NeverSaySyntaxError) { expect_plain_words("mistakes"); }

TEST(Mistakes, AreManyAndEachIsToldWithItsPlace) {
  std::size_t tracks = 0;
  for (const StanzaFile& file : stanza_files("mistakes")) {
    for (const Stanza& stanza : file.stanzas) {
      const auto diagnostics = diagnostics_of(stanza);
      const auto lines =
          static_cast<std::uint32_t>(std::count(stanza.text.begin(), stanza.text.end(), '\n'));
      EXPECT_FALSE(diagnostics.empty()) << file.path << ": " << stanza.title;
      for (const Diagnostic& d : diagnostics) {
        EXPECT_GE(d.span.line, 1U) << d.message;
        EXPECT_LE(d.span.line, lines) << d.message;
        EXPECT_GE(d.span.column, 1U) << d.message;
      }
      ++tracks;
    }
  }
  constexpr std::size_t kFewest = 60;
  EXPECT_GE(tracks, kFewest);
}

}  // namespace
}  // namespace turnout::lang
