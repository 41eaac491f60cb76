#include "lang/diagnostic.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "lang/codes.h"

namespace turnout::lang {
namespace {

void append_json(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20) {
      out += "\\u00";
      out.push_back(kHex[byte >> 4U]);
      out.push_back(kHex[byte & 0xFU]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

}  // namespace

std::span<const Code> all_codes() { return kCodes; }

Diagnostic diagnose(CodeId code, track::Span span, std::string message, std::string hint) {
  const Code& known = kCodes.at(code.index);
  return {known.severity, known.id, std::move(message), span, std::move(hint)};
}

bool has_errors(std::span<const Diagnostic> diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& d) { return d.severity == Severity::kError; });
}

void sort_by_place(std::vector<Diagnostic>& diagnostics) {
  std::vector<std::size_t> order(diagnostics.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const Diagnostic& x = diagnostics[a];
    const Diagnostic& y = diagnostics[b];
    return std::tuple(x.span.begin, x.severity, a) < std::tuple(y.span.begin, y.severity, b);
  });
  std::vector<Diagnostic> sorted;
  sorted.reserve(order.size());
  for (const std::size_t i : order) {
    sorted.push_back(std::move(diagnostics[i]));
  }
  diagnostics = std::move(sorted);
}

std::string to_json(std::span<const Diagnostic> diagnostics, std::string_view file) {
  std::string out = "[";
  for (const Diagnostic& d : diagnostics) {
    out += out.size() > 1 ? ",{\"file\":" : "{\"file\":";
    append_json(out, file);
    out += ",\"line\":" + std::to_string(d.span.line);
    out += ",\"column\":" + std::to_string(d.span.column);
    out += ",\"begin\":" + std::to_string(d.span.begin);
    out += ",\"end\":" + std::to_string(d.span.end);
    out += d.severity == Severity::kError ? ",\"severity\":\"error\"" : ",\"severity\":\"warning\"";
    out += ",\"code\":";
    append_json(out, d.code);
    out += ",\"message\":";
    append_json(out, d.message);
    if (!d.hint.empty()) {
      out += ",\"hint\":";
      append_json(out, d.hint);
    }
    out += "}";
  }
  return out + "]";
}

}  // namespace turnout::lang
