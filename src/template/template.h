#pragma once

// Templates of e-mails and webhook bodies: text with `{{ field }}` in it. Parsed once, rendered per
// contact.
//
// This version fills in values and knows nothing else of Liquid: a tag (`{% … %}`) or a filter (`{{
// field | upcase }}`) is refused by parse() with its place, so that a template never goes out half
// understood.
//
//   {{ name }}  {{name}}  {{- name -}}  {{ event.properties.plan }}
//
// A name is letters, digits and underscores, not beginning with a digit; dots join names. Dashes
// inside the braces take the white space beside them away, as in Liquid. A name that lookup() does
// not know renders as nothing and is listed.
//
// A Template is immutable: any number of threads may render it at once. No I/O, no clock.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace turnout::tmpl {

inline constexpr std::size_t kMaxTemplateBytes = 1u << 20;
inline constexpr std::size_t kMaxOutputBytes = 1u << 20;
inline constexpr std::size_t kMaxPlaces = 10'000;  // `{{ … }}` in one template
inline constexpr std::size_t kMaxNameBytes = 200;  // of a dotted name

// How values are written into the text around them. The text itself is never changed.
enum class Escape : std::uint8_t {
  kNone,    // plain text
  kHtml,    // & < > " ' as entities, as Liquid's `escape`
  kHeader,  // one line: each run of line ends and control characters becomes one space (no header
            // injection)
  kJson,    // the inside of a JSON string, invalid UTF-8 replaced by U+FFFD; the template has the
            // quotes
};

// Value of a dotted name as text, or nothing if there is no such variable. An unset field is known
// and empty.
using Lookup = std::function<std::optional<std::string>(std::string_view name)>;

struct Rendered {
  std::string text;
  std::vector<std::string>
      unknown;  // names that lookup() did not know, each once, in order of appearance
};

class Template {
 public:
  // kInvalid: "line 3, column 14: …" (columns count code points, from 1) with what to do;
  // kExhausted: over a limit.
  static base::Result<Template> parse(std::string_view text, Escape escape);

  // Calls lookup once per distinct name, at its first appearance. kExhausted if the text would pass
  // kMaxOutputBytes.
  base::Result<Rendered> render(const Lookup& lookup) const;

  // Names used, each once, in order of appearance: what to load, and what to check against the
  // field catalogue.
  const std::vector<std::string>& names() const { return names_; }

 private:
  struct Piece {
    std::string text;      // goes out as it is
    std::size_t name = 0;  // then the value of names_[name], if has_name
    bool has_name = false;
  };

  friend class Parser;

  Template() = default;

  Escape escape_ = Escape::kNone;
  std::vector<Piece> pieces_;
  std::vector<std::string> names_;
};

}  // namespace turnout::tmpl
