#include "track/mentions.h"

#include <type_traits>

#include "track/json_tree.h"

namespace turnout::track {
namespace json {
namespace {

template <class Wanted>
using Found = std::vector<const Wanted*>;

template <class T>
inline constexpr bool is_variant = false;
template <class... T>
inline constexpr bool is_variant<std::variant<T...>> = true;
template <class T>
inline constexpr bool is_box = false;
template <class T>
inline constexpr bool is_box<Box<T>> = true;

template <class Wanted, class T>
void collect(Found<Wanted>& out, const T& node);

template <class Wanted, class T, class M>
void collect_part(Found<Wanted>& out, const T& node, const Member<T, M>& part) {
  collect(out, node.*part.at);
}
template <class Wanted, class T, class V>
void collect_part(Found<Wanted>& out, const T& node, const Flat<T, V>& part) {
  collect(out, node.*part.at);
}
template <class Wanted, class T, class M, std::size_t kCount>
void collect_part(Found<Wanted>& /*out*/, const T& /*node*/, const Words<T, M, kCount>& /*part*/) {}

template <class Wanted, class T>
void collect(Found<Wanted>& out, const T& node) {
  if constexpr (std::is_same_v<T, Wanted>) {
    out.push_back(&node);
  } else if constexpr (std::is_same_v<T, Operand> || std::is_same_v<T, Json>) {
    collect(out, node.value);
  } else if constexpr (std::is_same_v<T, Json::Object>) {
    for (const Json::Member& member : node.members) {
      collect(out, member.second);
    }
  } else if constexpr (std::is_same_v<T, Json::List>) {
    collect(out, node.items);
  } else if constexpr (is_variant<T>) {
    std::visit([&out](const auto& chosen) { collect(out, chosen); }, node);
  } else if constexpr (is_optional<T>) {
    if (node) {
      collect(out, *node);
    }
  } else if constexpr (is_box<T>) {
    collect(out, *node);
  } else if constexpr (is_list<T>) {
    for (const auto& item : node) {
      collect(out, item);
    }
  } else if constexpr (HasShape<T>) {
    std::apply([&](const auto&... part) { (collect_part(out, node, part), ...); }, Shape<T>::parts);
  }
}

}  // namespace
}  // namespace json

std::vector<const FieldRef*> fields_of(const Track& track) {
  json::Found<FieldRef> out;
  json::collect(out, track);
  return out;
}

std::vector<const OnTrack*> places_of(const Track& track) {
  json::Found<OnTrack> out;
  json::collect(out, track);
  return out;
}

}  // namespace turnout::track
