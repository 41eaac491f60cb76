#include "cli/lsp_documents.h"

#include <utility>

#include "base/text.h"
#include "cli/exit_codes.h"

namespace turnout::cli {
namespace {

int hex_digit(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    out.push_back(low >= 0 ? static_cast<char>(high * 16 + low) : text[i]);
    i += low >= 0 ? 2 : 0;
  }
  return out;
}

}  // namespace

std::optional<std::string> path_of_uri(const std::string& uri) {
  constexpr std::string_view kScheme = "file://";
  if (!base::equals_ignoring_case(std::string_view(uri).substr(0, kScheme.size()), kScheme)) {
    return std::nullopt;
  }
  const std::size_t slash = uri.find('/', kScheme.size());  // behind a host, if there is one
  if (slash == std::string::npos) {
    return std::nullopt;
  }
  std::string path = percent_decoded(std::string_view(uri).substr(slash));
  return path.find('\0') == std::string::npos ? std::optional(std::move(path)) : std::nullopt;
}

OpenDocument::OpenDocument(std::string uri, std::optional<std::int64_t> version, std::string text,
                           const KnownFrom& known)
    : uri_(std::move(uri)),
      path_(path_of_uri(uri_)),
      version_(version),
      text_(std::move(text)),
      known_from_(known) {}

void OpenDocument::change(std::optional<std::int64_t> version,
                          const std::vector<TextChange>& changes, edit::Units units) {
  for (const TextChange& change : changes) {
    if (!change.part) {
      text_ = change.text;
      continue;
    }
    const edit::Lines lines(text_);
    const edit::Stretch place{lines.offset(text_, change.part->first, units),
                              lines.offset(text_, change.part->second, units)};
    edit::apply(text_, {place, change.text});
  }
  version_ = version;
  reading_.reset();
  told = false;
}

void OpenDocument::learn() {
  if (!path_) {
    return;
  }
  const std::filesystem::path beside = std::filesystem::path(*path_).parent_path() / kFieldsFile;
  std::error_code error;
  const auto written = std::filesystem::last_write_time(beside, error);
  const FileTime time = error ? FileTime() : FileTime(written);
  if (learnt_at_ == time) {
    return;
  }
  learnt_at_ = time;
  KnownNames known;
  // What is wrong with it stands on standard error; names are not checked then.
  known_ = known.learn(known_from_, *path_) == kExitDone ? std::move(known) : KnownNames();
  reading_.reset();
  told = false;
}

const edit::Reading& OpenDocument::reading() {
  learn();
  if (!reading_) {
    reading_.emplace(edit::read(text_, known_.analyse(text_)));
  }
  return *reading_;
}

}  // namespace turnout::cli
