// Filters for HTML, and those that belong to no kind: default, raw, json.

#include <cmath>

#include "template/convert.h"
#include "template/escape.h"
#include "template/filters.h"
#include "template/number.h"
#include "template/text.h"

namespace turnout::tmpl {
namespace {

using base::Result;

Result<Value> escape_html(const Value& input, const Arguments& /*arguments*/, Surroundings& s) {
  TRY(const std::string text, text_of(input, s.budget));
  std::string out;
  append_escaped(out, text, Escape::kHtml);
  return made_text(std::move(out), s);
}

// The five entities that `escape` writes, and no others, become characters again.
std::string unescaped(std::string_view text) {
  constexpr std::pair<std::string_view, char> kEntities[] = {
      {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&#34;", '"'}, {"&#39;", '\''}};
  std::string out;
  while (!text.empty()) {
    std::size_t length = 1;
    char c = text[0];
    for (const auto& [entity, meant] : kEntities) {
      if (text.starts_with(entity)) {
        length = entity.size();
        c = meant;
      }
    }
    out += c;
    text.remove_prefix(length);
  }
  return out;
}

Result<Value> escape_once(const Value& input, const Arguments& /*arguments*/, Surroundings& s) {
  TRY(const std::string text, text_of(input, s.budget));
  std::string out;
  append_escaped(out, unescaped(text), Escape::kHtml);
  return made_text(std::move(out), s);
}

Result<Value> newline_to_br(const Value& input, const Arguments& /*arguments*/, Surroundings& s) {
  TRY(const std::string text, text_of(input, s.budget));
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') {
      continue;
    }
    out += text[i] == '\n' ? "<br />\n" : std::string(1, text[i]);
  }
  return made_text(std::move(out), s);
}

// Takes out scripts, styles and comments whole, and all other tags; what is not closed stays.
Result<Value> strip_html(const Value& input, const Arguments& /*arguments*/, Surroundings& s) {
  struct Block {
    std::string_view opener;
    std::string_view closer;
    bool unclosed = false;  // none of it is closed any more, from here on
  };
  Block blocks[] = {{"<script", "</script>"}, {"<style", "</style>"}, {"<!--", "-->"}, {"<", ">"}};
  TRY(const std::string all, text_of(input, s.budget));
  std::string_view text = all;
  std::string out;
  while (true) {
    const std::size_t open = text.find('<');
    out += text.substr(0, open);
    if (open == std::string_view::npos) {
      return made_text(std::move(out), s);
    }
    text.remove_prefix(open);
    std::size_t end = std::string_view::npos;
    for (Block& block : blocks) {
      if (block.unclosed || !text.starts_with(block.opener)) {
        continue;
      }
      end = text.find(block.closer, block.opener.size());
      if (end != std::string_view::npos) {
        end += block.closer.size();
        break;
      }
      block.unclosed = true;
    }
    if (end == std::string_view::npos) {
      out += text;
      return made_text(std::move(out), s);
    }
    text.remove_prefix(end);
  }
}

Result<Value> default_to(const Value& input, const Arguments& arguments, Surroundings& /*s*/) {
  const bool empty = (input.is_text() && input.as_text().empty()) ||
                     (input.is_array() && input.items().empty()) ||
                     input.kind() == Value::Kind::kEmpty || input.kind() == Value::Kind::kBlank;
  const bool no = input.kind() == Value::Kind::kBoolean && !input.as_boolean();
  return (no && arguments.allow_false) || (input.truthy() && !empty) ? input : arguments[0];
}

Result<Value> raw(const Value& input, const Arguments& /*arguments*/, Surroundings& /*s*/) {
  return input;
}

Result<Value> json(const Value& input, const Arguments& arguments, Surroundings& s) {
  if (input.is_missing()) {
    return Value("");
  }
  std::string indent;
  if (arguments[0].is_text()) {
    const std::string& given = arguments[0].as_text();
    indent = given.substr(0, advance(given, 0, 10));
  } else {
    TRY(const double width, number_of(arguments[0], s.budget));
    indent.assign(static_cast<std::size_t>(std::max<std::ptrdiff_t>(whole(width, 10), 0)), ' ');
  }
  TRY(std::string text, json_of(input, indent, s.budget));
  return Value(std::move(text));
}

Result<Value> to_integer(const Value& input, const Arguments& /*arguments*/, Surroundings& s) {
  TRY(const double number,
      input.is_missing() ? Result<double>(std::nan("")) : number_in(input, s.budget));
  return Value::number(number);
}

constexpr FilterSpec kHtmlFilters[] = {
    {"escape", 0, 0, escape_html},
    {"xml_escape", 0, 0, escape_html},
    {"escape_once", 0, 0, escape_once},
    {"newline_to_br", 0, 0, newline_to_br},
    {"strip_html", 0, 0, strip_html},
    {"default", 0, 1, default_to, Takes::kValues, Makes::kValue, "allow_false"},
    {"raw", 0, 0, raw, Takes::kValues, Makes::kRaw},
    {"json", 0, 1, json, Takes::kValues, Makes::kJson},
    {"jsonify", 0, 1, json, Takes::kValues, Makes::kJson},
    {"inspect", 0, 1, json, Takes::kValues, Makes::kJson},
    {"to_integer", 0, 0, to_integer},
};

}  // namespace

std::span<const FilterSpec> html_filters() { return kHtmlFilters; }

}  // namespace turnout::tmpl
