#include "template/template.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/text.h"

namespace turnout::tmpl {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

constexpr std::string_view kSpace = " \t\r\n\f\v";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool continues_name(char c) { return begins_name(c) || (c >= '0' && c <= '9'); }

std::string_view trim_left(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

std::string_view trim_right(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

// "line 3, column 14": of the byte at `offset`.
std::string place(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t begin = before.rfind('\n') + 1;  // npos + 1 is 0
  const std::size_t column = 1 + base::count_code_points(before.substr(begin));
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

// Up to `most` code points, for a message.
std::string shown(std::string_view text, std::size_t most = 40) {
  std::size_t end = std::min(text.size(), most);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
    --end;
  }
  return "\"" + std::string(text.substr(0, end)) + (end < text.size() ? "…\"" : "\"");
}

// Length of the dotted name that `text` begins with; 0 if it begins with none.
std::size_t name_length(std::string_view text) {
  std::size_t at = 0;
  while (true) {
    if (at >= text.size() || !begins_name(text[at])) {
      return at == 0 ? 0 : at - 1;  // a dot that no name follows is not part of it
    }
    while (at < text.size() && continues_name(text[at])) {
      ++at;
    }
    if (at >= text.size() || text[at] != '.') {
      return at;
    }
    ++at;
  }
}

// What is wrong with the inside of `{{ … }}`, trimmed; empty if it is a name.
std::string problem_with(std::string_view inside) {
  if (inside.empty()) {
    return "there is no field between {{ and }}; write {{ field }}";
  }
  const std::size_t length = name_length(inside);
  if (length == 0) {
    return shown(inside) + " is no field; write a name such as {{ email }}, or two joined by a dot";
  }
  if (length > kMaxNameBytes) {
    return "a name may have " + std::to_string(kMaxNameBytes) + " bytes at most";
  }
  const std::string_view rest = trim_left(inside.substr(length));
  if (rest.empty()) {
    return {};
  }
  if (rest.front() == '|') {
    return "filters such as " + shown(rest) + " are not known in this version; take them out";
  }
  return shown(rest) + " cannot follow the field " + shown(inside.substr(0, length)) +
         "; close it with }}";
}

void append_html(std::string& to, std::string_view value) {
  for (const char c : value) {
    switch (c) {
      case '&':
        to += "&amp;";
        break;
      case '<':
        to += "&lt;";
        break;
      case '>':
        to += "&gt;";
        break;
      case '"':
        to += "&quot;";
        break;
      case '\'':
        to += "&#39;";
        break;
      default:
        to += c;
    }
  }
}

// Line ends in a value could add headers to a mail (CWE-93).
void append_header(std::string& to, std::string_view value) {
  bool space = false;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      space = true;
      continue;
    }
    if (space) {
      to += ' ';
      space = false;
    }
    to += c;
  }
}

void append_json_valid(std::string& to, std::string_view value) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      to += '\\';
      to += c;
    } else if (c == '\n') {
      to += "\\n";
    } else if (byte < 0x20) {
      to += "\\u00";
      to += kHex[byte >> 4];
      to += kHex[byte & 15];
    } else {
      to += c;
    }
  }
}

void append_json(std::string& to, std::string_view value) {
  while (!value.empty()) {
    const std::size_t bad = base::first_invalid_utf8(value);
    append_json_valid(to, value.substr(0, bad));
    if (bad == std::string_view::npos) {
      return;
    }
    to += kReplacement;
    value.remove_prefix(bad + 1);
  }
}

void append_escaped(std::string& to, std::string_view value, Escape escape) {
  switch (escape) {
    case Escape::kNone:
      to += value;
      return;
    case Escape::kHtml:
      append_html(to, value);
      return;
    case Escape::kHeader:
      append_header(to, value);
      return;
    case Escape::kJson:
      append_json(to, value);
      return;
  }
}

}  // namespace

// Cuts the text into pieces; one object per call of Template::parse.
class Parser {
 public:
  Parser(std::string_view text, Template& into) : text_(text), into_(into) {}

  Result<void> run() {
    std::size_t at = 0;
    while (true) {
      const std::size_t open = next_open(at);
      if (open == std::string_view::npos) {
        add_text(text_.substr(at));
        return base::ok();
      }
      add_text(text_.substr(at, open - at));
      TRY(const auto after, place_at(open));
      at = after;
    }
  }

 private:
  // Where the next "{{" or "{%" is.
  std::size_t next_open(std::size_t from) const {
    std::size_t at = text_.find('{', from);
    while (at != std::string_view::npos && at + 1 < text_.size()) {
      if (text_[at + 1] == '{' || text_[at + 1] == '%') {
        return at;
      }
      at = text_.find('{', at + 1);
    }
    return std::string_view::npos;
  }

  Result<void> wrong(std::size_t offset, const std::string& what) const {
    return fail(ErrorCode::kInvalid, place(text_, offset) + ": " + what);
  }

  // Takes in what begins at `open`; returns where the text goes on.
  Result<std::size_t> place_at(std::size_t open) {
    if (text_[open + 1] == '%') {
      const std::size_t end = text_.find('}', open);
      const std::string_view tag =
          text_.substr(open, end == std::string_view::npos ? end : end - open + 1);
      TRYV(wrong(open, "tags such as " + shown(tag) +
                           " are not known in this version; only {{ field }} is"));
    }
    const std::size_t close = text_.find("}}", open + 2);
    if (close == std::string_view::npos) {
      TRYV(wrong(open, "{{ is not closed; write }} after the field"));
    }
    std::string_view inside = text_.substr(open + 2, close - open - 2);
    const bool trims_before = inside.starts_with('-');
    if (trims_before) {
      inside.remove_prefix(1);
    }
    const bool trims_after = inside.ends_with('-');
    if (trims_after) {
      inside.remove_suffix(1);
    }
    const std::string_view name = trim_right(trim_left(inside));
    const std::string problem = problem_with(name);
    if (!problem.empty()) {
      const auto offset = static_cast<std::size_t>(name.empty() ? 0 : name.data() - text_.data());
      TRYV(wrong(name.empty() ? open : offset, problem));
    }
    if (++places_ > kMaxPlaces) {
      return fail(ErrorCode::kExhausted, place(text_, open) + ": a template may have " +
                                             std::to_string(kMaxPlaces) + " fields at most");
    }
    add_name(name, trims_before);
    trim_next_ = trims_after;
    return close + 2;
  }

  void add_text(std::string_view text) {
    into_.pieces_.emplace_back();
    into_.pieces_.back().text = trim_next_ ? trim_left(text) : text;
    trim_next_ = false;
  }

  // Ends the piece that add_text() began.
  void add_name(std::string_view name, bool trims_before) {
    Template::Piece& piece = into_.pieces_.back();
    if (trims_before) {
      piece.text = trim_right(piece.text);
    }
    const auto [known, added] = numbers_.try_emplace(name, into_.names_.size());
    piece.name = known->second;
    piece.has_name = true;
    if (added) {
      into_.names_.emplace_back(name);
    }
  }

  std::string_view text_;
  Template& into_;
  std::unordered_map<std::string_view, std::size_t> numbers_;  // of names, which text_ holds
  std::size_t places_ = 0;
  bool trim_next_ = false;
};

Result<Template> Template::parse(std::string_view text, Escape escape) {
  if (text.size() > kMaxTemplateBytes) {
    return fail(ErrorCode::kExhausted, "a template may have " + std::to_string(kMaxTemplateBytes) +
                                           " bytes at most; this one has " +
                                           std::to_string(text.size()));
  }
  const std::size_t bad = base::first_invalid_utf8(text);
  if (bad != std::string_view::npos) {
    return fail(ErrorCode::kInvalid,
                place(text, bad) + ": the text is not UTF-8; save the template as UTF-8");
  }
  Template result;
  result.escape_ = escape;
  TRYV(Parser(text, result).run());
  return result;
}

Result<Rendered> Template::render(const Lookup& lookup) const {
  std::vector<std::optional<std::string>> values(names_.size());
  std::vector<bool> asked(names_.size(), false);
  Rendered rendered;
  const auto too_long = [] {
    return fail(ErrorCode::kExhausted, "the text filled in would be longer than " +
                                           std::to_string(kMaxOutputBytes) + " bytes");
  };
  for (const Piece& piece : pieces_) {
    rendered.text += piece.text;
    if (piece.has_name) {
      std::optional<std::string>& value = values[piece.name];
      if (!asked[piece.name]) {
        asked[piece.name] = true;
        value = lookup(names_[piece.name]);
        if (!value) {
          rendered.unknown.push_back(names_[piece.name]);
        }
      }
      // Checked before escaping, which makes at most six bytes of one, so that memory stays bounded
      // too.
      if (value && value->size() > kMaxOutputBytes) {
        return too_long();
      }
      if (value) {
        append_escaped(rendered.text, *value, escape_);
      }
    }
    if (rendered.text.size() > kMaxOutputBytes) {
      return too_long();
    }
  }
  return rendered;
}

}  // namespace turnout::tmpl
