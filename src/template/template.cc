#include "template/template.h"

#include <utility>

#include "base/text.h"
#include "template/parser.h"
#include "template/renderer.h"
#include "template/source.h"

namespace turnout::tmpl {

base::Result<Template> Template::parse(std::string_view text, Escape escape) {
  if (text.size() > kMaxTemplateBytes) {
    return base::fail(base::ErrorCode::kExhausted,
                      "a template may have " + std::to_string(kMaxTemplateBytes) +
                          " bytes at most; this one has " + std::to_string(text.size()));
  }
  const std::size_t bad = base::first_invalid_utf8(text);
  if (bad != std::string_view::npos) {
    return mistake(text, bad, "the text is not UTF-8; save the template as UTF-8");
  }
  auto tree = std::make_shared<Tree>();
  tree->source = text;
  tree->escape = escape;
  TRYV(parse_tree(*tree));
  return Template(std::move(tree));
}

base::Result<Rendered> Template::render(const Lookup& lookup, const RenderOptions& options) const {
  return Renderer(*tree_, lookup, options).run();
}

const std::vector<std::string>& Template::names() const { return tree_->names; }

}  // namespace turnout::tmpl
