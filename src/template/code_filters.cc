// Filters that write texts in other alphabets: URLs, Base64, digests.

#include <algorithm>

#include "base/text.h"
#include "template/convert.h"
#include "template/filters.h"
#include "template/sha256.h"
#include "template/text.h"

namespace turnout::tmpl {
namespace {

using base::Result;

constexpr std::string_view kUpperHex = "0123456789ABCDEF";
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x80 && is_letter_or_digit(byte);
}

// Everything but letters, digits and `kept` as %XX.
std::string percent_encoded(std::string_view text, std::string_view kept) {
  std::string out;
  for (const char c : text) {
    if (is_plain(c) || kept.find(c) != std::string_view::npos) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kUpperHex[byte >> 4];
      out += kUpperHex[byte & 15];
    }
  }
  return out;
}

std::string with_plus(std::string text) {
  for (std::size_t at = text.find("%20"); at != std::string::npos; at = text.find("%20", at)) {
    text.replace(at, 3, "+");
  }
  return text;
}

// What encodeURIComponent and encodeURI of ECMA-262 leave as it is.
std::string url_encoded(std::string_view text) {
  return with_plus(percent_encoded(text, "-_.!~*'()"));
}
std::string cgi_escaped(std::string_view text) { return with_plus(percent_encoded(text, "-_.~")); }
std::string uri_escaped(std::string_view text) {
  return percent_encoded(text, "-_.!~*'();/?:@&=+$,#[]");
}

int hex_digit(char c) {
  const std::size_t at = std::string_view("0123456789abcdef").find(static_cast<char>(c | 0x20));
  return is_ascii_digit(c) ? c - '0' : at >= 10 && at < 16 ? static_cast<int>(at) : -1;
}

template <std::string (*kOf)(std::string_view)>
Result<Value> coded(const Value& input, const Arguments& /*arguments*/, Surroundings& s) {
  TRY(const std::string text, text_of(input, s.budget));
  return made_text(kOf(text), s);
}

Result<Value> url_decode(const Value& input, const Arguments& /*arguments*/, Surroundings& s) {
  TRY(const std::string text, text_of(input, s.budget));
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return base::fail(base::ErrorCode::kInvalid,
                        "url_decode: a % without two hexadecimal digits behind it");
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (base::first_invalid_utf8(out) != std::string_view::npos) {
    return base::fail(base::ErrorCode::kInvalid, "url_decode: the bytes are no UTF-8");
  }
  return made_text(std::move(out), s);
}

std::string base64_encoded(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view group = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (k < group.size() ? static_cast<unsigned char>(group[k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k > group.size() ? '=' : kAlphabet[(bits >> (18 - 6 * k)) & 63];
    }
  }
  return out;
}

// Bytes that are no UTF-8 as U+FFFD, so that whatever comes of it can be written anywhere.
std::string as_utf8(std::string_view bytes) {
  std::string out;
  for (const char32_t point : code_points(bytes)) {
    append_utf8(out, point);
  }
  return out;
}

Result<Value> base64_decode(const Value& input, const Arguments& /*arguments*/, Surroundings& s) {
  TRY(std::string text, text_of(input, s.budget));
  std::erase_if(
      text, [](char c) { return std::string_view("\t\n\f\r ").find(c) != std::string_view::npos; });
  if (text.size() % 4 == 0) {
    for (int i = 0; i < 2 && text.ends_with('='); ++i) {
      text.pop_back();
    }
  }
  const bool good = text.size() % 4 != 1 && text.find_first_not_of(kAlphabet) == std::string::npos;
  if (!good) {
    return base::fail(base::ErrorCode::kInvalid, "base64_decode: the text is no Base64");
  }
  std::string bytes;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    bits = (bits << 6 | static_cast<std::uint32_t>(kAlphabet.find(c))) & 0xffffffU;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes += static_cast<char>((bits >> held) & 0xff);
    }
  }
  return made_text(as_utf8(bytes), s);
}

Result<Value> hmac(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(const std::string text, text_of(input, s.budget));
  TRY(const std::string key, text_of(arguments[0], s.budget));
  TRYV(s.budget.reading(key));
  return made_text(hex(hmac_sha256(key, text)), s);
}

std::string sha256_hex(std::string_view text) { return hex(sha256(text)); }

// Latin letters without their accents; only small ones are listed in liquidjs, but for ligatures.
std::string without_accents(std::string_view text) {
  constexpr std::pair<std::string_view, std::string_view> kPlain[] = {
      {"àáâãäå", "a"}, {"æ", "ae"},     {"ç", "c"},    {"èéêë", "e"}, {"ìíîï", "i"}, {"ð", "d"},
      {"ñ", "n"},      {"òóôõöø", "o"}, {"ùúûü", "u"}, {"ýÿ", "y"},   {"ß", "ss"},   {"œ", "oe"},
      {"þ", "th"},     {"ẞ", "SS"},     {"Œ", "OE"},   {"Þ", "TH"}};
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view here = text.substr(at, code_point_at(text, at).bytes);
    const auto* const found =
        std::find_if(std::begin(kPlain), std::end(kPlain), [&](const auto& one) {
          return here.size() > 1 && one.first.find(here) != std::string_view::npos;
        });
    out += found == std::end(kPlain) ? here : found->second;
    at += here.size();
  }
  return out;
}

bool stays_in_slug(char32_t point, std::string_view mode) {
  if (mode == "raw") {
    return !is_space(point);
  }
  if (mode == "ascii") {
    return point < 0x80 && is_letter_or_digit(point);
  }
  const bool sign =
      point < 0x80 && mode == "pretty" &&
      std::string_view("._~!$&'()+,;=@").find(static_cast<char>(point)) != std::string_view::npos;
  return is_letter_or_digit(point) || sign;
}

Result<Value> slugify(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(std::string text, text_of(input, s.budget));
  std::string mode = "default";
  if (!arguments[0].is_missing()) {
    TRY(mode, text_of(arguments[0], s.budget));
  }
  constexpr std::string_view kModes[] = {"raw", "default", "pretty", "ascii", "latin"};
  if (std::find(std::begin(kModes), std::end(kModes), mode) != std::end(kModes)) {
    if (mode == "latin") {
      text = without_accents(text);
    }
    std::string slug;
    bool dash = false;
    for (const char32_t point : code_points(text)) {
      const bool stays = stays_in_slug(point, mode);
      if (stays) {
        append_utf8(slug, point);
      } else if (!dash) {
        slug += '-';
      }
      dash = !stays;
    }
    text = slug.substr(slug.starts_with('-') ? 1 : 0);
    if (text.ends_with('-')) {
      text.pop_back();
    }
  }
  return made_text(arguments[1].truthy() ? text : lower(text), s);
}

constexpr FilterSpec kCodeFilters[] = {
    {"url_encode", 0, 0, coded<url_encoded>},
    {"url_decode", 0, 0, url_decode},
    {"cgi_escape", 0, 0, coded<cgi_escaped>},
    {"uri_escape", 0, 0, coded<uri_escaped>},
    {"slugify", 0, 2, slugify},
    {"base64_encode", 0, 0, coded<base64_encoded>},
    {"base64_decode", 0, 0, base64_decode},
    {"sha256", 0, 0, coded<sha256_hex>},
    {"hmac_sha256", 1, 1, hmac},
};

}  // namespace

std::span<const FilterSpec> code_filters() { return kCodeFilters; }

}  // namespace turnout::tmpl
