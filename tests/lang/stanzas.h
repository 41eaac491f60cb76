#pragma once

// Files of tracks with mistakes, and all that is said about them, word by word:
//
//   == title          a title that begins with "run:" shows check_runnable instead of the checker
//   track …
//   --
//   [code] T.track:1:1: error: …
//
// TURNOUT_REWRITE=1 rewrites what is expected; whoever commits that has read the difference.

#include <filesystem>
#include <string>
#include <vector>

#include "lang/diagnostic.h"

namespace turnout::lang {

struct Stanza {
  std::string title;
  std::string text;
  std::string expected;
};

struct StanzaFile {
  std::filesystem::path path;
  std::string preface;
  std::vector<Stanza> stanzas;
};

// The files of a folder of tests/lang, ordered by name.
std::vector<StanzaFile> stanza_files(const std::string& folder);

std::vector<Diagnostic> diagnostics_of(const Stanza& stanza);

// Fails where something else is said than the files of the folder expect, or rewrites them.
void expect_as_written(const std::string& folder);

// Fails at a diagnostic of the folder that says nothing to whoever wrote the track.
void expect_plain_words(const std::string& folder);

}  // namespace turnout::lang
