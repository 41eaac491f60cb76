#pragma once

// Which branches of a JSON Schema some documents have used: every kind of node, every member there
// and not there, every word of an enum, every list empty and not.

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace turnout::lang {

class SchemaCoverage {
 public:
  explicit SchemaCoverage(nlohmann::json schema);

  // Notes what a document uses that is valid.
  void add(const nlohmann::json& document);

  // The branches that nothing has used, as JSON Pointers into the schema with what is missing
  // there.
  std::vector<std::string> unused() const;

 private:
  void expect(const nlohmann::json& schema, const std::string& place);
  void use(const nlohmann::json& schema, const std::string& place, const nlohmann::json& value);
  void use_object(const nlohmann::json& schema, const std::string& place,
                  const nlohmann::json& value);
  const nlohmann::json& resolve(const nlohmann::json& schema, std::string& place) const;
  bool fits(const nlohmann::json& schema, const nlohmann::json& value) const;

  nlohmann::json schema_;
  std::map<std::string, bool> branches_;  // → used
};

}  // namespace turnout::lang
