#include "deliver/template_folder.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace turnout::deliver {
namespace {

constexpr std::size_t kMaxFileBytes = 1024 * 1024;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

struct Headers {
  std::optional<std::string> subject;
  int subject_line = 0;
  std::optional<Mailbox> from;
};

auto fail(const std::string& file, int line, const std::string& what) {
  return base::fail(base::ErrorCode::kInvalid, fmt::format("{}:{}: {}", file, line, what));
}

base::Result<void> read_header(std::string_view line, int number, const std::string& file,
                               Headers& headers) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    return fail(file, number,
                "this is no header; begin with \"Subject: …\", then an empty line, then the text");
  }
  const std::string_view name = trimmed(line.substr(0, colon));
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (base::equals_ignoring_case(name, "subject") && !headers.subject) {
    headers.subject = std::string(value);
    headers.subject_line = number;
    return base::ok();
  }
  if (base::equals_ignoring_case(name, "from") && !headers.from) {
    headers.from = parse_mailbox(value);
    return headers.from
               ? base::Result<void>(base::ok())
               : fail(file, number,
                      fmt::format("\"{}\" is no sender; write From: Name <user@example.com>",
                                  value));
  }
  const bool again =
      base::equals_ignoring_case(name, "subject") || base::equals_ignoring_case(name, "from");
  return fail(file, number,
              again ? fmt::format("header \"{}\" stands twice; leave one", name)
                    : fmt::format("header \"{}\" is not known; Subject and From are", name));
}

std::optional<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  if (in) {
    text.assign(std::istreambuf_iterator<char>(in), {});
  }
  return in && text.size() <= kMaxFileBytes ? std::optional(std::move(text)) : std::nullopt;
}

}  // namespace

base::Result<MailTemplate> parse_mail_template(std::string_view contents, const std::string& file) {
  if (contents.starts_with("\xEF\xBB\xBF")) {
    contents.remove_prefix(3);
  }
  if (base::first_invalid_utf8(contents) != std::string_view::npos) {
    return fail(file, 1, "is not UTF-8; save it as UTF-8");
  }
  Headers headers;
  int number = 1;
  bool empty_line = false;
  while (!contents.empty() && !empty_line) {
    const std::size_t end = contents.find('\n');
    const std::string_view line = trimmed(contents.substr(0, end));
    contents = end == std::string_view::npos ? std::string_view() : contents.substr(end + 1);
    empty_line = line.empty();
    if (!empty_line) {
      TRYV(read_header(line, number, file, headers));
    }
    ++number;
  }
  if (!headers.subject || headers.subject->empty()) {
    return fail(file, 1,
                "has no subject; begin with \"Subject: …\", then an empty line, then the text");
  }
  auto subject = tmpl::Template::parse(*headers.subject, tmpl::Escape::kHeader);
  if (!subject) {
    return fail(file, headers.subject_line, "in the subject: " + subject.error().message);
  }
  auto text = tmpl::Template::parse(contents, tmpl::Escape::kNone);
  if (!text) {
    return fail(file, number, "in the text, counted from here: " + text.error().message);
  }
  return MailTemplate{std::move(subject.value()), std::move(text.value()), std::move(headers.from)};
}

TemplateFolder TemplateFolder::load(const std::string& path) {
  TemplateFolder folder;
  folder.path_ = path;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::filesystem::path& file = entry->path();
    if (file.extension() != ".txt" || file.filename().string().starts_with('.')) {
      continue;
    }
    const std::string name = file.stem().string();
    const auto contents = read_file(file);
    if (!contents) {
      folder.broken_[name] =
          fmt::format("{}: cannot be read, or is longer than 1 MiB", file.string());
      continue;
    }
    auto parsed = parse_mail_template(*contents, file.string());
    if (parsed) {
      folder.templates_.emplace(name, std::move(parsed.value()));
    } else {
      folder.broken_[name] = parsed.error().message;
    }
  }
  return folder;
}

const MailTemplate* TemplateFolder::find(const std::string& name) const {
  const auto found = templates_.find(name);
  return found == templates_.end() ? nullptr : &found->second;
}

std::string TemplateFolder::why_not(const std::string& name) const {
  if (const auto broken = broken_.find(name); broken != broken_.end()) {
    return broken->second;
  }
  const std::string place = (std::filesystem::path(path_) / (name + ".txt")).string();
  return fmt::format("there is no template \"{}\": put it into {} and restart the peer", name,
                     place);
}

std::vector<std::string> TemplateFolder::names() const {
  std::vector<std::string> names;
  names.reserve(templates_.size());
  for (const auto& [name, mail] : templates_) {
    names.push_back(name);
  }
  return names;
}

std::vector<std::string> TemplateFolder::fields() const {
  std::set<std::string> fields;
  // Of `company.size`, which may be a field or a member of one, both names.
  const auto add = [&](const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      fields.insert(name);
      fields.insert(name.substr(0, name.find('.')));
    }
  };
  for (const auto& [name, mail] : templates_) {
    add(mail.subject.names());
    add(mail.text.names());
  }
  return {fields.begin(), fields.end()};
}

std::vector<std::string> TemplateFolder::problems() const {
  std::vector<std::string> problems;
  problems.reserve(broken_.size());
  for (const auto& [name, why] : broken_) {
    problems.push_back(why);
  }
  return problems;
}

}  // namespace turnout::deliver
