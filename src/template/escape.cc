#include "template/escape.h"

#include "base/text.h"

namespace turnout::tmpl {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

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
        to += "&#34;";
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

// What JSON writes as a letter behind a backslash (RFC 8259), or 0.
char short_json_escape(char c) {
  switch (c) {
    case '"':
    case '\\':
      return c;
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

void append_json_valid(std::string& to, std::string_view value) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (const char letter = short_json_escape(c); letter != 0) {
      to += '\\';
      to += letter;
    } else if (byte < 0x20) {
      to += "\\u00";
      to += kHex[byte >> 4];
      to += kHex[byte & 15];
    } else {
      to += c;
    }
  }
}

void append_json_text(std::string& to, std::string_view value) {
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

}  // namespace

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
      append_json_text(to, value);
      return;
  }
}

}  // namespace turnout::tmpl
