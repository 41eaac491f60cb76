#include "stanzas.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "lang/checker.h"
#include "lang/parser.h"
#include "samples.h"

namespace turnout::lang {
namespace {

StanzaFile load(const std::filesystem::path& path) {
  StanzaFile file{path, "", {}};
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

void save(const StanzaFile& file) {
  std::ofstream out(file.path);
  out << file.preface;
  for (std::size_t i = 0; i < file.stanzas.size(); ++i) {
    const Stanza& s = file.stanzas[i];
    out << "== " << s.title << "\n" << s.text << "--\n" << s.expected;
    out << (i + 1 < file.stanzas.size() ? "\n" : "");
  }
}

std::string said_about(const Stanza& stanza) {
  std::string out;
  for (const Diagnostic& d : diagnostics_of(stanza)) {
    out += "[" + d.code + "] " + render(d, "T.track", stanza.text, false);
  }
  return out;
}

}  // namespace

std::vector<StanzaFile> stanza_files(const std::string& folder) {
  std::vector<StanzaFile> result;
  for (const auto& entry :
       std::filesystem::directory_iterator(TURNOUT_SOURCE_DIR "/tests/lang/" + folder)) {
    result.push_back(load(entry.path()));
  }
  std::sort(result.begin(), result.end(),
            [](const StanzaFile& a, const StanzaFile& b) { return a.path < b.path; });
  return result;
}

std::vector<Diagnostic> diagnostics_of(const Stanza& stanza) {
  if (!stanza.title.starts_with("run:")) {
    return analyse(stanza.text, sample_catalogue()).diagnostics;
  }
  const Parsed parsed = parse(stanza.text);
  std::vector<Diagnostic> diagnostics = parsed.diagnostics;
  const auto more = check_runnable(parsed.track);
  diagnostics.insert(diagnostics.end(), more.begin(), more.end());
  return diagnostics;
}

void expect_as_written(const std::string& folder) {
  const bool rewrite = std::getenv("TURNOUT_REWRITE") != nullptr;
  for (StanzaFile& file : stanza_files(folder)) {
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

void expect_plain_words(const std::string& folder) {
  for (const StanzaFile& file : stanza_files(folder)) {
    for (const Stanza& stanza : file.stanzas) {
      for (const Diagnostic& d : diagnostics_of(stanza)) {
        for (const char* word : {"syntax", "token", "parse", "invalid", "unexpected"}) {
          EXPECT_EQ((d.message + d.hint).find(word), std::string::npos)
              << file.path << ": " << stanza.title << ": " << d.message;
        }
      }
    }
  }
}

}  // namespace turnout::lang
