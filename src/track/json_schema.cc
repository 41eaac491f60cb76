// The JSON Schema of the form, from the description of the tree.

#include <nlohmann/json.hpp>

#include "track/json_form.h"
#include "track/json_members.h"
#include "track/json_tree.h"
#include "track/leaves.h"

namespace turnout::track {
namespace json {
namespace {

using Schema = nlohmann::ordered_json;  // members stay in the order in which they are put in

Schema refer(std::string_view def) { return {{"$ref", "#/$defs/" + std::string(def)}}; }

Schema pattern(const std::string& expression, const char* description) {
  return {{"type", "string"}, {"pattern", expression}, {"description", description}};
}

// An object with exactly one member.
Schema object_of(std::string_view name, Schema value) {
  return {{"type", "object"},
          {"properties", {{std::string(name), std::move(value)}}},
          {"required", Schema::array({std::string(name)})},
          {"additionalProperties", false}};
}

// One way in which an object may look: a variant in it multiplies these.
struct Look {
  Schema properties = Schema::object();
  Schema required = Schema::array();
  Schema ties = Schema::array();
};
using Looks = std::vector<Look>;

class Maker {
 public:
  Schema whole();

 private:
  // of() is overloaded on the type of the value of a member.
  template <class T>
    requires HasShape<T>
  Schema of(const T*, const Spec&);
  template <class V>
    requires HasAlternatives<V>
  Schema of(const V*, const Spec&);
  template <class T>
  Schema of(const std::optional<T>*, const Spec& spec) {
    return of(static_cast<const T*>(nullptr), spec);
  }
  template <class T>
  Schema of(const Box<T>*, const Spec& spec) {
    return of(static_cast<const T*>(nullptr), spec);
  }
  template <class T>
  Schema of(const std::vector<T>*, const Spec& spec);
  Schema of(const std::string*, const Spec& spec) { return text_of(spec.text); }
  Schema of(const Name*, const Spec& spec) { return text_of(spec.text); }
  Schema of(const bool*, const Spec&) { return {{"type", "boolean"}}; }
  Schema of(const double*, const Spec&) { return {{"type", "number"}}; }
  Schema of(const FieldRef*, const Spec&) { return refer("field"); }
  Schema of(const DurationSpec*, const Spec&) { return refer("duration"); }
  Schema of(const TimeOfDay*, const Spec&) { return refer("time"); }
  Schema of(const DateTime*, const Spec&) { return refer("datetime"); }
  Schema of(const Days*, const Spec&) { return refer("days"); }
  Schema of(const Operand*, const Spec&) { return refer("value"); }
  Schema of(const Json*, const Spec&) { return refer("members"); }
  Schema of(const std::variant<Operand, DurationSpec>*, const Spec&) {
    return {{"anyOf", Schema::array({refer("value"), object_of(kDuration, refer("duration"))})}};
  }

  static Schema text_of(TextKind kind);

  template <class T, class M>
  void add(Looks& looks, const Member<T, M>& part);
  template <class T, class M, std::size_t kCount>
  void add(Looks& looks, const Words<T, M, kCount>& part);
  template <class T, class V>
  void add(Looks& looks, const Flat<T, V>&) {
    add_variant<V>(looks);
  }
  template <class V>
  void add_variant(Looks& looks);
  template <class V, std::size_t kIndex>
  void add_alternative(const Looks& before, Looks& looks);
  template <class T>
  void add_parts(Looks& looks);

  static void put(Looks& looks, std::string_view name, const Schema& schema, bool needed);
  static Schema tie(const Tie& tie);
  static Schema object(const Looks& looks);
  template <class Fill>
  Schema defined(std::string_view def, Fill fill);
  void leaves();
  void json_behind_with();

  Schema defs_ = Schema::object();
};

Schema Maker::text_of(TextKind kind) {
  switch (kind) {
    case TextKind::kName:
      return refer("name");
    case TextKind::kText:
      return refer("text");
    case TextKind::kComment:
      break;
  }
  return refer("comment");
}

template <class T>
Schema Maker::of(const std::vector<T>*, const Spec& spec) {
  Schema schema = {{"type", "array"},
                   {"items", of(static_cast<const T*>(nullptr), Spec{spec.text})}};
  if (spec.least > 0) {
    schema["minItems"] = spec.least;
  }
  if (spec.most != SIZE_MAX) {
    schema["maxItems"] = spec.most;
  }
  return schema;
}

// What `fill` makes, under its own name when it has one.
template <class Fill>
Schema Maker::defined(std::string_view def, Fill fill) {
  if (def.empty()) {
    return fill();
  }
  const std::string name(def);
  if (!defs_.contains(name)) {
    defs_[name] = Schema::object();  // takes its place: it may contain itself
    Schema schema = fill();
    defs_[name] = std::move(schema);
  }
  return refer(def);
}

template <class T>
constexpr std::string_view def_of() {
  if constexpr (requires { T::def; }) {
    return T::def;
  } else {
    return {};
  }
}

template <class T>
  requires HasShape<T>
Schema Maker::of(const T*, const Spec&) {
  return defined(def_of<Shape<T>>(), [&] {
    Looks looks(1);
    add_parts<T>(looks);
    return object(looks);
  });
}

template <class V>
  requires HasAlternatives<V>
Schema Maker::of(const V*, const Spec&) {
  return defined(def_of<Alternatives<V>>(), [&] {
    Looks looks(1);
    add_variant<V>(looks);
    return object(looks);
  });
}

void Maker::put(Looks& looks, std::string_view name, const Schema& schema, bool needed) {
  for (Look& look : looks) {
    look.properties[std::string(name)] = schema;
    if (needed) {
      look.required.push_back(std::string(name));
    }
  }
}

template <class T, class M>
void Maker::add(Looks& looks, const Member<T, M>& part) {
  put(looks, part.name, of(static_cast<const M*>(nullptr), part.spec), !may_lack<M>(part.spec));
}

template <class T, class M, std::size_t kCount>
void Maker::add(Looks& looks, const Words<T, M, kCount>& part) {
  Schema schema = {{"enum", Schema::array()}};
  for (const std::string_view word : part.words) {
    schema["enum"].push_back(std::string(word));
  }
  if (part.usual) {
    schema["default"] = std::string(part.words.at(*part.usual));
  }
  put(looks, part.name, schema, !part.usual);
}

template <class V, std::size_t kIndex>
void Maker::add_alternative(const Looks& before, Looks& looks) {
  constexpr Alternative kNames = Alternatives<V>::names[kIndex];
  Schema tag = {{"const", std::string(kNames.name)}};
  if (!kNames.flagged.empty()) {
    tag = {{"enum", Schema::array({std::string(kNames.name), std::string(kNames.flagged)})}};
  }
  Looks mine = before;
  put(mine, Alternatives<V>::tag, tag, true);
  add_parts<std::variant_alternative_t<kIndex, V>>(mine);
  looks.insert(looks.end(), mine.begin(), mine.end());
}

template <class V>
void Maker::add_variant(Looks& looks) {
  const Looks before = std::move(looks);
  looks.clear();
  [&]<std::size_t... kIndices>(std::index_sequence<kIndices...>) {
    (add_alternative<V, kIndices>(before, looks), ...);
  }(std::make_index_sequence<std::variant_size_v<V>>());
}

template <class T>
void Maker::add_parts(Looks& looks) {
  std::apply([&](const auto&... part) { (add(looks, part), ...); }, Shape<T>::parts);
  if constexpr (HasRules<T>) {
    for (const Tie& t : Shape<T>::rules) {
      for (Look& look : looks) {
        look.ties.push_back(tie(t));
      }
    }
  }
}

Schema Maker::tie(const Tie& tie) {
  const std::string a(tie.a);
  const std::string b(tie.b);
  const auto needs = [](const std::string& name) -> Schema {
    return {{"required", Schema::array({name})}};
  };
  const auto where = [&](const std::string& name, Schema value) -> Schema {
    return {{"properties", {{name, std::move(value)}}}, {"required", Schema::array({name})}};
  };
  switch (tie.kind) {
    case Tie::Kind::kEither:
      return {{"anyOf", Schema::array({needs(a), needs(b)})}};
    case Tie::Kind::kOnlyWith:
      return {{"dependentRequired", {{a, Schema::array({b})}}}};
    case Tie::Kind::kExactlyWhen:
      return {{"if", where(b, {{"const", std::string(tie.first)}})},
              {"then", needs(a)},
              {"else", {{"not", needs(a)}}}};
    case Tie::Kind::kNeverWhen:
      break;
  }
  Schema both = Schema::array({std::string(tie.first), std::string(tie.second)});
  return {{"if", where(b, {{"enum", std::move(both)}})},
          {"then", {{"not", where(a, {{"const", true}})}}}};
}

Schema Maker::object(const Looks& looks) {
  Schema all = Schema::array();
  for (const Look& look : looks) {
    Schema one = {{"type", "object"},
                  {"properties", look.properties},
                  {"required", look.required},
                  {"additionalProperties", false}};
    if (!look.ties.empty()) {
      one["allOf"] = look.ties;
    }
    all.push_back(std::move(one));
  }
  return all.size() == 1 ? all[0] : Schema{{"oneOf", std::move(all)}};
}

void Maker::leaves() {
  const Schema no_zero = {{"pattern", "\\u0000"}};
  defs_["name"] = {{"type", "string"}, {"minLength", 1}, {"not", no_zero}};
  defs_["text"] = {{"type", "string"}, {"not", no_zero}};
  defs_["comment"] = {{"type", "string"},
                      {"not", {{"pattern", "[\\n\\u0000]|[ \\t\\r\\v\\f]$"}}},
                      {"description", "one line, without \"#\" and without blanks at its end"}};
  const std::string word = "[A-Za-z_][A-Za-z0-9_]*";
  defs_["field"] = pattern("^" + word + "(\\." + word + ")*$",
                           "the name of a field: score, entry.x, event.x, row.x, visit.times");
  std::string duration = "^(?=[0-9])";
  for (auto unit = kUnitNames.rbegin(); unit != kUnitNames.rend(); ++unit) {
    duration += "([0-9]{1,12} " + std::string(*unit) + "s?($| (?=[0-9])))?";
  }
  defs_["duration"] = pattern(duration + "$", "1 day 12 hours: units from large to small");
  const std::string time = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?";
  const std::string date = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])";
  defs_["time"] = pattern("^" + time + "$", "09:00 or 09:00:30");
  defs_["date"] = pattern("^" + date + "$", "2026-12-01");
  defs_["datetime"] = pattern(
      "^" + date + "T" + time + "(\\[[A-Za-z0-9_/+-]{1," + std::to_string(kMaxZoneBytes) +
          "}\\])?$",
      "2026-12-01T09:00 in the track's zone, or 2026-12-01T09:00[Europe/Berlin] (RFC 9557)");
  Schema days = Schema::array();
  for (const std::string_view day : kDayNames) {
    days.push_back(std::string(day));
  }
  defs_["days"] = {{"type", "array"},
                   {"items", {{"enum", std::move(days)}}},
                   {"minItems", 1},
                   {"uniqueItems", true}};
  const Schema yes = {{"const", true}};
  defs_["value"] = {{"description", "texts, numbers, true and false stand for themselves"},
                    {"anyOf", Schema::array({refer("text"),
                                             {{"type", Schema::array({"number", "boolean"})}},
                                             object_of(kField, refer("field")),
                                             object_of(kDate, refer("date")),
                                             object_of(kDateTime, refer("datetime")),
                                             object_of(kNow, yes),
                                             object_of(kToday, yes)})}};
}

void Maker::json_behind_with() {
  const Schema pair = {{"type", "array"},
                       {"prefixItems", Schema::array({refer("text"), refer("json")})},
                       {"minItems", 2},
                       {"maxItems", 2}};
  defs_["members"] = {
      {"description",
       "members of an object behind `with`: an object, or a list of [name, value] where a name "
       "stands twice or where programs would change the order"},
      {"anyOf",
       Schema::array({{{"type", "object"},
                       {"propertyNames", refer("text")},
                       {"additionalProperties", refer("json")},
                       {"maxProperties", kMaxListItems}},
                      {{"type", "array"}, {"items", pair}, {"maxItems", kMaxListItems}}})}};
  defs_["json"] = {
      {"anyOf", Schema::array(
                    {refer("value"),
                     object_of(kObject, refer("members")),
                     {{"type", "array"}, {"items", refer("json")}, {"maxItems", kMaxListItems}}})}};
}

Schema Maker::whole() {
  Look look;
  Looks looks;
  look.properties[std::string(kFormat)] = {{"const", kJsonFormat}};
  look.required.push_back(std::string(kFormat));
  look.properties[std::string(kSchema)] = {{"type", "string"}};
  looks.push_back(std::move(look));
  add_parts<Track>(looks);
  leaves();
  json_behind_with();
  Schema result = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                   {"title", "A Turnout track"},
                   {"description",
                    "The JSON form of a track: docs/formats/track-json.md. Made by the program; "
                    "`turnout convert --schema` prints it."}};
  result.update(object(looks));
  result["$defs"] = std::move(defs_);
  return result;
}

}  // namespace
}  // namespace json

std::string json_schema() { return json::Maker().whole().dump(2) + "\n"; }

}  // namespace turnout::track
