#pragma once

// The reader's leaves: texts, numbers and what the language writes as one word; inside the JSON
// form only. Each reports what is wrong to the Input and leaves the target alone then.

#include <string>

#include "track/json_input.h"

namespace turnout::track::json {

// UTF-8 without zero characters, as `spec.text` says.
void read(Input& in, const JsonValue& value, std::string& out, const Spec& spec);
void read(Input& in, const JsonValue& value, Name& out, const Spec& spec);
void read(Input& in, const JsonValue& value, FieldRef& out, const Spec& spec);
void read(Input& in, const JsonValue& value, bool& out, const Spec& spec);
void read(Input& in, const JsonValue& value, double& out, const Spec& spec);
void read(Input& in, const JsonValue& value, DurationSpec& out, const Spec& spec);
void read(Input& in, const JsonValue& value, TimeOfDay& out, const Spec& spec);
void read(Input& in, const JsonValue& value, DateTime& out, const Spec& spec);
void read(Input& in, const JsonValue& value, Days& out, const Spec& spec);
void read(Input& in, const JsonValue& value, Operand& out, const Spec& spec);
void read(Input& in, const JsonValue& value, std::variant<Operand, DurationSpec>& out,
          const Spec& spec);
// What stands behind `with`: an object's members.
void read_with(Input& in, const JsonValue& value, Json& out);

}  // namespace turnout::track::json
