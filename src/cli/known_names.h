#pragma once

// What a track is checked against on the command line: fields said by `--field`; else those of the
// server named; else of the file fields.toml beside the track; else of the server that the
// environment names, or of one at the usual address, if it answers.
//
//   templates = ["welcome"]    # fields.toml; without this line any template will do
//   webhooks = ["sales"]       # and likewise databases and tracks
//   [fields]
//   score = "number"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lang/checker.h"
#include "track/catalogue.h"

namespace turnout::cli {

inline constexpr const char* kFieldsFile = "fields.toml";

struct KnownFrom {
  std::optional<std::string> server;  // asked for by --server
  std::optional<std::string> usual;   // named by the environment: where nothing else says more
  std::map<std::string, std::string> fields;  // field → type
};

struct KnownNames {
  track::Catalogue catalogue = track::built_in_catalogue();
  bool fields = false;  // whether the catalogue says which fields there are

  // Fills this in for the track in the file `beside`. An exit code, with what is wrong on standard
  // error, when that fails and it was asked for.
  int learn(const KnownFrom& from, const std::string& beside);
  // Without complaints about fields when it is not known which there are.
  lang::Analysis analyse(const std::string& text) const;
  // Fields of the track that are not in the catalogue, where it is not known which there are.
  std::vector<std::string> unknown_fields(const track::Track& track) const;
};

}  // namespace turnout::cli
