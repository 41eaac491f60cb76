#include "track/catalogue.h"

namespace turnout::track {

const char* type_name(Type type) {
  switch (type) {
    case Type::kText:
      return "text";
    case Type::kNumber:
      return "number";
    case Type::kBoolean:
      return "boolean";
    case Type::kTimestamp:
      return "timestamp";
    case Type::kDate:
      return "date";
    case Type::kUntyped:
      return "untyped";
  }
  return "?";
}

std::optional<Type> type_named(std::string_view name) {
  for (const Type type :
       {Type::kText, Type::kNumber, Type::kBoolean, Type::kTimestamp, Type::kDate}) {
    if (name == type_name(type)) {
      return type;
    }
  }
  return std::nullopt;
}

const Field* Catalogue::find(std::string_view name) const {
  for (const Field& field : fields) {
    if (field.name == name) {
      return &field;
    }
  }
  return nullptr;
}

Catalogue built_in_catalogue() {
  Catalogue catalogue;
  catalogue.fields = {{"key", Type::kText, "key"},
                      {"email", Type::kText, "email"},
                      {"created_at", Type::kTimestamp, "created_at"},
                      {"updated_at", Type::kTimestamp, "updated_at"}};
  return catalogue;
}

}  // namespace turnout::track
