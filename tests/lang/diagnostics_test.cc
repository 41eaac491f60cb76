// The files of tests/lang/diagnostics: tracks with mistakes, and all that is said about them, word
// by word.
//
//   == title          a title that begins with "run:" shows check_runnable instead of the checker
//   track …
//   --
//   [code] T.track:1:1: error: …
//
// TURNOUT_REWRITE=1 rewrites what is expected; whoever commits that has read the difference.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "lang/checker.h"
#include "lang/parser.h"
#include "samples.h"

namespace turnout::lang {
namespace {

struct Stanza {
  std::string title;
  std::string text;
  std::string expected;
};

struct File {
  std::filesystem::path path;
  std::string preface;
  std::vector<Stanza> stanzas;
};

File load(const std::filesystem::path& path) {
  File file{path, "", {}};
  std::istringstream in(read_file(path));
  bool expected = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("== ")) {
      file.stanzas.push_back({line.substr(3), "", ""});
      expected = false;
    } else if (file.stanzas.empty()) {
      file.preface += line + "\n";
    } else if (line == "--") {
      expected = true;
    } else if (!(expected && line.empty())) {
      (expected ? file.stanzas.back().expected : file.stanzas.back().text) += line + "\n";
    }
  }
  return file;
}

void save(const File& file) {
  std::ofstream out(file.path);
  out << file.preface;
  for (std::size_t i = 0; i < file.stanzas.size(); ++i) {
    const Stanza& s = file.stanzas[i];
    out << "== " << s.title << "\n" << s.text << "--\n" << s.expected;
    out << (i + 1 < file.stanzas.size() ? "\n" : "");
  }
}

std::string said_about(const Stanza& stanza) {
  std::vector<Diagnostic> diagnostics;
  if (stanza.title.starts_with("run:")) {
    const Parsed parsed = parse(stanza.text);
    diagnostics = parsed.diagnostics;
    const auto more = check_runnable(parsed.track);
    diagnostics.insert(diagnostics.end(), more.begin(), more.end());
  } else {
    diagnostics = analyse(stanza.text, sample_catalogue()).diagnostics;
  }
  std::string out;
  for (const Diagnostic& d : diagnostics) {
    out += "[" + d.code + "] " + render(d, "T.track", stanza.text, false);
  }
  return out;
}

std::vector<File> files() {
  std::vector<File> result;
  for (const auto& entry :
       std::filesystem::directory_iterator(TURNOUT_SOURCE_DIR "/tests/lang/diagnostics")) {
    result.push_back(load(entry.path()));
  }
  std::sort(result.begin(), result.end(),
            [](const File& a, const File& b) { return a.path < b.path; });
  return result;
}

TEST(Diagnostics, SayWhatTheFilesExpect) {
  const bool rewrite = std::getenv("TURNOUT_REWRITE") != nullptr;
  for (File& file : files()) {
    EXPECT_FALSE(file.stanzas.empty()) << file.path;
    for (Stanza& stanza : file.stanzas) {
      const std::string said = said_about(stanza);
      if (rewrite) {
        stanza.expected = said;
      } else {
        EXPECT_EQ(said, stanza.expected) << file.path << ": " << stanza.title;
      }
    }
    if (rewrite) {
      save(file);
    }
  }
}

// A kind of diagnostic that no test provokes may be wrong without anybody seeing it.
TEST(Diagnostics, EveryCodeIsTested) {
  std::set<std::string> tested;
  for (const File& file : files()) {
    for (const Stanza& stanza : file.stanzas) {
      std::istringstream in(stanza.expected);
      for (std::string line; std::getline(in, line);) {
        if (line.starts_with("[")) {
          tested.insert(line.substr(1, line.find(']') - 1));
        }
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

// The words that say nothing to whoever wrote the track.
TEST(Diagnostics, NeverSaySyntaxError) {
  for (const File& file : files()) {
    for (const Stanza& stanza : file.stanzas) {
      const std::string said = said_about(stanza);
      for (const char* word : {"syntax", "token", "parse", "invalid", "unexpected"}) {
        std::istringstream in(said);
        for (std::string line; std::getline(in, line);) {
          if (line.starts_with("[")) {
            EXPECT_EQ(line.find(word, line.find(']')), std::string::npos) << line;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace turnout::lang
