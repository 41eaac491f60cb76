// `turnout render`: what a template makes of some data, before a mail or a webhook goes out with
// it.

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/files.h"
#include "cli/screen.h"
#include "deliver/json_value.h"
#include "deliver/template_folder.h"
#include "deliver/zone_offset.h"
#include "template/template.h"

namespace turnout::cli {
namespace {

using base::Result;

base::Error at_file(const std::string& file, const base::Error& error) {
  return {error.code, file + ": " + error.message};
}

Result<tmpl::Value> read_data(const RenderCommand& command) {
  std::string text = command.contact.value_or("{}");
  const std::string from = command.data.value_or("--contact");
  if (command.data) {
    TRY(text, read_whole_file(*command.data));
  }
  const auto json = nlohmann::ordered_json::parse(text, nullptr, false);
  if (!json.is_object()) {
    return base::Error{base::ErrorCode::kInvalid,
                       from + ": is no JSON object; write {\"first_name\": \"Ada\"}"};
  }
  auto value = deliver::value_of_json(json);
  return value ? std::move(value) : at_file(from, value.error());
}

Result<tmpl::RenderOptions> read_options(const RenderCommand& command) {
  tmpl::RenderOptions options;
  options.zones = deliver::zone_offset;
  options.now = {std::chrono::duration_cast<std::chrono::microseconds>(
                     std::chrono::system_clock::now().time_since_epoch())
                     .count()};
  if (command.now) {
    TRY(options.now, base::parse_instant(*command.now));
  }
  if (command.zone) {
    options.zone = *command.zone;
    if (!deliver::zone_offset(options.zone, options.now)) {
      return base::Error{base::ErrorCode::kInvalid,
                         fmt::format("--zone {}: there is no such time zone; write a name such as "
                                     "Europe/Berlin",
                                     options.zone)};
    }
  }
  return options;
}

// A template of an e-mail begins with its headers.
bool is_mail(const std::string& text) {
  const std::string start = base::to_lower_ascii(text.substr(0, 8));
  return start.starts_with("subject:") || start.starts_with("from:");
}

tmpl::Escape escape_for(const RenderCommand& command) {
  if (command.html || command.text) {
    return command.html ? tmpl::Escape::kHtml : tmpl::Escape::kNone;
  }
  const auto ends = [&](std::string_view end) { return command.file.ends_with(end); };
  return ends(".html") || ends(".htm") ? tmpl::Escape::kHtml
         : ends(".json")               ? tmpl::Escape::kJson
                                       : tmpl::Escape::kNone;
}

// The whole text that is printed, and the names that the data does not have.
Result<tmpl::Rendered> render(const RenderCommand& command, const tmpl::Lookup& lookup,
                              const tmpl::RenderOptions& options) {
  TRY(const auto text, read_whole_file(command.file));
  if (!command.html && is_mail(text)) {
    TRY(const auto mail, deliver::parse_mail_template(text, command.file));
    auto subject = mail.subject.render(lookup, options);
    auto body = mail.text.render(lookup, options);
    if (!subject || !body) {
      return at_file(command.file, subject ? body.error() : subject.error());
    }
    tmpl::Rendered whole = std::move(subject.value());
    whole.text = "Subject: " + whole.text + "\n\n" + body.value().text;
    for (std::string& name : body.value().unknown) {
      if (std::find(whole.unknown.begin(), whole.unknown.end(), name) == whole.unknown.end()) {
        whole.unknown.push_back(std::move(name));
      }
    }
    return whole;
  }
  const auto parsed = tmpl::Template::parse(text, escape_for(command));
  if (!parsed) {
    return at_file(command.file, parsed.error());
  }
  auto rendered = parsed.value().render(lookup, options);
  return rendered ? std::move(rendered) : at_file(command.file, rendered.error());
}

Result<tmpl::Rendered> render_with_data(const RenderCommand& command) {
  TRY(const auto data, read_data(command));
  TRY(const auto options, read_options(command));
  const tmpl::Lookup lookup = [&](std::string_view name) {
    const tmpl::Value* const found = data.find(name);
    return found == nullptr ? std::nullopt : std::optional(*found);
  };
  return render(command, lookup, options);
}

}  // namespace

int render_file(const RenderCommand& command) {
  const auto rendered = render_with_data(command);
  if (!rendered) {
    print_error(rendered.error().message);
    return kExitWrong;
  }
  std::fwrite(rendered.value().text.data(), 1, rendered.value().text.size(), stdout);
  if (!rendered.value().text.empty() && rendered.value().text.back() != '\n') {
    fmt::print("\n");
  }
  for (const std::string& name : rendered.value().unknown) {
    fmt::print(stderr, "note: there is no \"{}\" in the data; it is left empty\n", printable(name));
  }
  return kExitDone;
}

}  // namespace turnout::cli
