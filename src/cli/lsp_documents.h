#pragma once

// The tracks that are open in an editor, and what is known of them.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/known_names.h"
#include "edit/place.h"
#include "edit/reading.h"

namespace turnout::cli {

// The path that a `file:` address names; nothing for any other.
std::optional<std::string> path_of_uri(const std::string& uri);

// A change of a part of a text, or of all of it.
struct TextChange {
  std::optional<std::pair<edit::Position, edit::Position>> part;
  std::string text;
};

// Not thread-safe.
class OpenDocument {
 public:
  // `known` says where names of fields are learnt; it lives as long as the document.
  OpenDocument(std::string uri, std::optional<std::int64_t> version, std::string text,
               const KnownFrom& known);

  void change(std::optional<std::int64_t> version, const std::vector<TextChange>& changes,
              edit::Units units);
  // What it says now. Read anew when the text has changed, or fields.toml beside it. Valid until
  // the next call.
  const edit::Reading& reading();
  const track::Catalogue& catalogue() const { return known_.catalogue; }
  const std::string& uri() const { return uri_; }
  std::optional<std::int64_t> version() const { return version_; }

  // Whether its diagnostics were told since it last changed.
  bool told = false;

 private:
  using FileTime = std::optional<std::filesystem::file_time_type>;

  void learn();

  std::string uri_;
  std::optional<std::string> path_;
  std::optional<std::int64_t> version_;
  std::string text_;
  const KnownFrom& known_from_;
  KnownNames known_;
  std::optional<FileTime> learnt_at_;  // the time of the fields.toml that was learnt; none: learn
  std::optional<edit::Reading> reading_;
};

}  // namespace turnout::cli
