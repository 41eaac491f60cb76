// JSON to tree: first the values (json_value.h), then the tree from them by its description.

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "track/json_form.h"
#include "track/json_leaves.h"
#include "track/json_members.h"
#include "track/json_tree.h"

namespace turnout::track {
namespace json {
namespace {

// read() is overloaded for everything that can be the value of a member.
template <class T>
  requires HasShape<T>
void read(Input& in, const JsonValue& value, T& out, const Spec& spec);
template <class V>
  requires HasAlternatives<V>
void read(Input& in, const JsonValue& value, V& out, const Spec& spec);
void read(Input& in, const JsonValue& value, Condition& out, const Spec& spec);
template <class T>
void read(Input& in, const JsonValue& value, Box<T>& out, const Spec& spec);
template <class T>
void read(Input& in, const JsonValue& value, std::vector<T>& out, const Spec& spec);

template <class T>
void read(Input& in, const JsonValue& value, std::optional<T>& out, const Spec& spec) {
  read(in, value, out.emplace(), spec);
}
void read(Input& in, const JsonValue& value, std::optional<Json>& out, const Spec& /*spec*/) {
  read_with(in, value, out.emplace());
}
template <class T>
void read(Input& in, const JsonValue& value, Box<T>& out, const Spec& spec) {
  read(in, value, *out, spec);
}
template <class T>
void read(Input& in, const JsonValue& value, std::vector<T>& out, const Spec& spec) {
  const auto* const list = std::get_if<JsonList>(&value.data);
  if (list == nullptr) {
    in.expected("a list", value);
    return;
  }
  if (list->size() < spec.least) {
    in.wrong(fmt::format("expected a list of {} or more, found {}", spec.least, list->size()));
  }
  if (list->size() > spec.most) {
    in.wrong(fmt::format("more than {} are too many",
                         base::with_thousands(static_cast<long long>(spec.most))));
    return;
  }
  out.reserve(list->size());
  const Stands stands = in.stands;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const Input::At at(in, i);
    in.stands = stands;
    read(in, (*list)[i], out.emplace_back(), Spec{spec.text});
  }
}

// ---- Members of objects

template <class T>
void read_parts(Input& in, Reading& from, T& out);

template <class T, class M>
void read_part(Input& in, Reading& from, T& out, const Member<T, M>& part) {
  const JsonValue* const value = from.find(part.name);
  if (value != nullptr) {
    const Input::At at(in, part.name);
    read(in, *value, out.*part.at, part.spec);
  } else if (!may_lack<M>(part.spec)) {
    in.wrong("expected a member \"" + std::string(part.name) + "\"");
  }
}

template <class T, class M, std::size_t kCount>
void read_part(Input& in, Reading& from, T& out, const Words<T, M, kCount>& part) {
  const JsonValue* const value = from.find(part.name);
  if (value == nullptr) {
    if (!part.usual) {
      in.wrong("expected a member \"" + std::string(part.name) + "\"");
    }
    return;
  }
  const auto* const word = std::get_if<std::string>(&value->data);
  const auto found =
      word == nullptr ? part.words.end() : std::find(part.words.begin(), part.words.end(), *word);
  if (found == part.words.end()) {
    const Input::At at(in, part.name);
    in.none_of({part.words.begin(), part.words.end()}, *value);
  } else {
    out.*part.at = static_cast<M>(found - part.words.begin());
  }
}

// Makes `out` the alternative number kIndex when it has that name, and reads its members.
template <class V, std::size_t kIndex>
bool read_alternative(Input& in, Reading& from, const std::string& name, V& out) {
  using A = std::variant_alternative_t<kIndex, V>;
  constexpr Alternative kNames = Alternatives<V>::names[kIndex];
  const bool flagged = !kNames.flagged.empty() && name == kNames.flagged;
  if (name != kNames.name && !flagged) {
    return false;
  }
  A& alternative = out.template emplace<kIndex>();
  if constexpr (HasFlag<A>) {
    alternative.*Shape<A>::flag = flagged;
  }
  read_parts(in, from, alternative);
  return true;
}

template <class V>
std::vector<std::string> names_of_alternatives() {
  std::vector<std::string> names;
  for (const Alternative& a : Alternatives<V>::names) {
    names.emplace_back(a.name);
    if (!a.flagged.empty()) {
      names.emplace_back(a.flagged);
    }
  }
  return names;
}

template <class V>
void read_variant(Input& in, Reading& from, V& out) {
  constexpr std::string_view kTag = Alternatives<V>::tag;
  const JsonValue* const tag = from.find(kTag);
  if (tag == nullptr) {
    in.wrong("expected a member \"" + std::string(kTag) +
             "\" that says what this is: " + one_of_these(names_of_alternatives<V>()));
    from.chosen = false;
    return;
  }
  const auto* const name = std::get_if<std::string>(&tag->data);
  const bool known =
      name != nullptr && [&]<std::size_t... kIndices>(std::index_sequence<kIndices...>) {
        return (read_alternative<V, kIndices>(in, from, *name, out) || ...);
      }(std::make_index_sequence<std::variant_size_v<V>>());
  if (!known) {
    const Input::At at(in, kTag);
    in.none_of(names_of_alternatives<V>(), *tag);
    from.chosen = false;
  }
}

template <class T, class V>
void read_part(Input& in, Reading& from, T& out, const Flat<T, V>& part) {
  read_variant(in, from, out.*part.at);
}

template <class T>
void read_parts(Input& in, Reading& from, T& out) {
  std::apply([&](const auto&... part) { (read_part(in, from, out, part), ...); }, Shape<T>::parts);
  if constexpr (HasRules<T>) {
    for (const Tie& tie : Shape<T>::rules) {
      in.check_tie(from.members, tie);
    }
  }
}

template <class Fill>
void read_object(Input& in, const JsonValue& value, Fill fill) {
  const auto* const object = std::get_if<JsonObject>(&value.data);
  if (object == nullptr) {
    in.expected("an object", value);
    return;
  }
  Reading from{*object};
  fill(from);
  if (from.chosen) {
    in.check_names(from);
  }
}

template <class T>
  requires HasShape<T>
void read(Input& in, const JsonValue& value, T& out, const Spec& /*spec*/) {
  read_object(in, value, [&](Reading& from) { read_parts(in, from, out); });
}
template <class V>
  requires HasAlternatives<V>
void read(Input& in, const JsonValue& value, V& out, const Spec& /*spec*/) {
  read_object(in, value, [&](Reading& from) { read_variant(in, from, out); });
}

// ---- Conditions

bool is_test(const JsonObject& object, std::string_view name) {
  return std::any_of(object.begin(), object.end(), [&](const JsonMember& m) {
    const auto* const text = std::get_if<std::string>(&m.value.data);
    return m.name == Alternatives<decltype(Condition::node)>::tag && text != nullptr &&
           *text == name;
  });
}

// Counts how deep the text of a condition nests, as its parser does: a bracket, a `not` and the
// condition of a `did` go one deeper, and every test must have room for one more.
void read(Input& in, const JsonValue& value, Condition& out, const Spec& /*spec*/) {
  const auto* const object = std::get_if<JsonObject>(&value.data);
  const bool all = object != nullptr && is_test(*object, "and");
  const bool any = object != nullptr && is_test(*object, "or");
  const bool joined = all || any;
  const Stands stands = in.stands;
  const std::size_t nesting = in.nesting;
  const bool brackets = (all && (stands == Stands::kInAnd || stands == Stands::kBehindWord)) ||
                        (any && stands != Stands::kAlone);
  if ((brackets || !joined) && nesting >= kMaxNesting) {
    in.wrong(fmt::format("this is nested more than {} deep", kMaxNesting));
    return;
  }
  in.nesting += brackets || !joined ? 1 : 0;
  in.stands = all ? Stands::kInAnd : any ? Stands::kInOr : Stands::kBehindWord;
  read_object(in, value, [&](Reading& from) { read_parts(in, from, out); });
  in.stands = stands;
  in.nesting = nesting;
}

// ---- The whole

void check_counts(Input& in, const Track& track) {
  const auto steps = static_cast<std::size_t>(
      std::count_if(track.parts.begin(), track.parts.end(),
                    [](const auto& part) { return std::holds_alternative<Step>(part); }));
  const Input::At at(in, "parts");
  if (steps > kMaxSteps) {
    in.wrong(fmt::format("more than {} steps are too many", base::with_thousands(kMaxSteps)));
  }
  if (track.parts.size() - steps > kMaxTests) {
    in.wrong(fmt::format("more than {} tests are too many", base::with_thousands(kMaxTests)));
  }
}

void read_format(Input& in, Reading& from) {
  const JsonValue* const format = from.find(kFormat);
  const auto* const number = format == nullptr ? nullptr : std::get_if<double>(&format->data);
  if (format == nullptr) {
    in.wrong(fmt::format("expected a member \"{}\", which is {}", kFormat, kJsonFormat));
  } else if (number == nullptr || *number != kJsonFormat) {
    const Input::At at(in, kFormat);
    in.expected(fmt::format("{}, the one format that there is", kJsonFormat), *format);
  }
  // Editors find the schema by it.
  const JsonValue* const schema = from.find(kSchema);
  if (schema != nullptr && !std::holds_alternative<std::string>(schema->data)) {
    const Input::At at(in, kSchema);
    in.expected("a text", *schema);
  }
}

}  // namespace
}  // namespace json

TrackFromJson from_json(std::string_view text) {
  TrackFromJson result;
  JsonValue value;
  json::Input in;
  if (std::string wrong = read_json_value(text, value); !wrong.empty()) {
    in.wrong(std::move(wrong));
  } else {
    json::read_object(in, value, [&](json::Reading& from) {
      json::read_format(in, from);
      json::read_parts(in, from, result.track);
    });
    json::check_counts(in, result.track);
  }
  result.problems = std::move(in).take();
  return result;
}

}  // namespace turnout::track
