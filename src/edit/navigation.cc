#include "edit/navigation.h"

namespace turnout::edit {
namespace {

bool same(const NameUse& a, const NameUse& b) { return a.kind == b.kind && a.text == b.text; }

}  // namespace

std::vector<Stretch> definitions(const Reading& reading, std::size_t offset) {
  std::vector<Stretch> places;
  const NameUse* const wanted = name_at(reading, offset);
  for (const NameUse& name : reading.names) {
    if (wanted != nullptr && name.declares && same(name, *wanted)) {
      places.push_back(name.place);
    }
  }
  return places;
}

std::vector<Stretch> references(const Reading& reading, std::size_t offset,
                                bool with_declarations) {
  std::vector<Stretch> places;
  if (const FieldUse* const wanted = field_at(reading, offset)) {
    for (const FieldUse& field : reading.fields) {
      if (field.name == wanted->name) {
        places.push_back(field.place);
      }
    }
    return places;
  }
  const NameUse* const wanted = name_at(reading, offset);
  for (const NameUse& name : reading.names) {
    if (wanted != nullptr && same(name, *wanted) && (with_declarations || !name.declares)) {
      places.push_back(name.place);
    }
  }
  return places;
}

}  // namespace turnout::edit
