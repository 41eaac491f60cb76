// Renders the cases of the oracle (compare.mjs) and prints the outcomes as JSON.
//
//   template_oracle cases.json

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include <nlohmann/json.hpp>

#include "deliver/json_value.h"
#include "deliver/zone_offset.h"
#include "template/template.h"

namespace turnout::tmpl {
namespace {

using Json = nlohmann::ordered_json;

Escape escape_named(const std::string& mode) {
  return mode == "html"     ? Escape::kHtml
         : mode == "json"   ? Escape::kJson
         : mode == "header" ? Escape::kHeader
                            : Escape::kNone;
}

base::Result<Rendered> render(const Json& test, const Json& data) {
  TRY(const auto parsed, Template::parse(test.at("template").get<std::string>(),
                                         escape_named(test.value("mode", ""))));
  TRY(const auto value, deliver::value_of_json(data));
  const Lookup lookup = [&](std::string_view name) {
    const Value* const found = value.find(name);
    return found == nullptr ? std::nullopt : std::optional(*found);
  };
  RenderOptions options;
  options.now = base::parse_instant("2026-12-01T09:30:15.250Z").value();
  options.zone = test.value("zone", "UTC");
  options.zones = deliver::zone_offset;
  return parsed.render(lookup, options);
}

int run(const char* file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const Json cases = Json::parse(text);
  Json results = Json::array();
  for (const Json& test : cases.at("cases")) {
    const Json& data = test.at("data");
    const auto rendered =
        render(test, data.is_string() ? cases.at("data").at(data.get<std::string>()) : data);
    results.push_back(rendered ? Json{{"text", rendered.value().text}}
                               : Json{{"error", rendered.error().message}});
  }
  std::puts(results.dump().c_str());
  return 0;
}

}  // namespace
}  // namespace turnout::tmpl

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: template_oracle cases.json\n", stderr);
    return 2;
  }
  return turnout::tmpl::run(argv[1]);
}
