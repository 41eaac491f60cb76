#pragma once

// Templates of e-mails and webhook bodies: Liquid, as liquidjs has it (docs/templates.md lists the
// tags and filters, and what differs). Parsed once, rendered per contact:
//
//   Dear {{ first_name | default: "customer" }},
//   {% for item in order.items limit: 3 %}- {{ item.name }}
//   {% endfor %}
//
// Parsing is in three steps with plain data between them: cut() (text, outputs, tags), the parsers
// (expressions; tags to a tree), and Renderer walks the tree. A mistake is refused by parse() with
// its place, so that a template never goes out half understood.
//
// A variable that lookup() does not know renders as nothing and is listed. A name is letters,
// digits, underscores and dashes, not beginning with a digit or a dash; dots join names.
//
// A Template is immutable and cheap to copy: any number of threads may render it at once. No I/O,
// no clock, no randomness: equal values and options make equal texts.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "template/escape.h"
#include "template/limits.h"
#include "template/value.h"

namespace turnout::tmpl {

struct Tree;

// Value of a dotted name, or nothing if there is no such variable. An unset field is known and nil.
// Of `order.lines.first` the whole is asked for first, then `order.lines`, then `order`; what is
// known of these is followed by its members.
using Lookup = std::function<std::optional<Value>(std::string_view name)>;

// How far the clocks of an IANA zone are ahead of UTC at an instant, or nothing if there is no such
// zone. Must not throw.
using ZoneOffsets =
    std::function<std::optional<std::chrono::seconds>(std::string_view zone, base::Instant at)>;

struct RenderOptions {
  base::Instant now;         // what the filter `date` takes "now" and "today" to be
  std::string zone = "UTC";  // what it writes times in, unless the template says another
  ZoneOffsets zones = {};    // none: only UTC is known
};

struct Rendered {
  std::string text;
  // Names that lookup() did not know, and absent members of objects, as written, each once, in
  // order of appearance. Not those that a condition tests, or that `default` stands behind: there
  // absence is what the template asks about.
  std::vector<std::string> unknown;
};

class Template {
 public:
  // kInvalid: "line 3, column 14: …" (columns count code points, from 1) with what to do;
  // kExhausted: over a limit.
  static base::Result<Template> parse(std::string_view text, Escape escape);

  // Asks lookup once per distinct name. kExhausted: over a limit (limits.h); kInvalid: a value that
  // a filter cannot take (what is no Base64, say). Both with the place in the template.
  base::Result<Rendered> render(const Lookup& lookup, const RenderOptions& options = {}) const;

  // Names of outside variables that are used, each once, in order of appearance: what to load, and
  // what to check against the field catalogue. Of `order.lines[0].price` the name is `order.lines`.
  // Not among them: variables that the template sets itself, and names found while rendering
  // (`[name]`).
  const std::vector<std::string>& names() const;

 private:
  explicit Template(std::shared_ptr<const Tree> tree) : tree_(std::move(tree)) {}

  std::shared_ptr<const Tree> tree_;
};

}  // namespace turnout::tmpl
