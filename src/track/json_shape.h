#pragma once

// The vocabulary of the description of the tree in json_tree.h; inside the JSON form, and for
// leaves_of.cc.
//
// Every struct of the tree has a Shape: its members with their JSON names, in the order in which
// they are written. Every std::variant has Alternatives: the member that says which one it is (the
// *tag*) and the names that it takes. Members of the chosen alternative stand beside the tag, in
// the object that holds the variant.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "track/limits.h"
#include "track/track.h"

namespace turnout::track::json {

enum class TextKind {
  kName,     // one character at least
  kText,     // any
  kComment,  // one line, without blanks at its end
};

// What holds for a member beyond its type.
struct Spec {
  TextKind text = TextKind::kName;
  std::size_t least = 0;  // items of a list
  std::size_t most = kMaxListItems;
  bool left_out_when_empty = false;  // of a list, else it is always written
};

// A member of the struct T. It may be left out when it is a std::optional, a bool (false), a list
// that may be empty or Comments.
template <class T, class M>
struct Member {
  std::string_view name;
  M T::* at;
  Spec spec;
};
template <class T, class M>
constexpr Member<T, M> member(std::string_view name, M T::* at, Spec spec = {}) {
  return {name, at, spec};
}
template <class T>
constexpr auto text(std::string_view name, T member_at) {
  return member(name, member_at, Spec{TextKind::kText});
}
// A list that is always written.
template <class T, class M>
constexpr auto list(std::string_view name, M T::* at, std::size_t least, std::size_t most) {
  return member(name, at, Spec{TextKind::kName, least, most});
}
template <class T>
constexpr auto comment_lines(std::string_view name, std::vector<std::string> T::* at) {
  return member(name, at, Spec{TextKind::kComment, 0, SIZE_MAX, true});
}

// An enum, or a bool, as one of several words. With `usual` it may be left out and is that word
// then.
template <class T, class M, std::size_t kCount>
struct Words {
  std::string_view name;
  M T::* at;
  std::array<std::string_view, kCount> words;  // in the order of the values
  std::optional<std::size_t> usual;
};
template <class T, class M, class... W>
constexpr auto words(std::string_view name, M T::* at, W... all) {
  return Words<T, M, sizeof...(W)>{name, at, {std::string_view(all)...}, std::nullopt};
}

// A variant whose tag and members stand among those of T.
template <class T, class V>
struct Flat {
  V T::* at;
};
template <class T, class V>
constexpr Flat<T, V> flat(V T::* at) {
  return {at};
}

// The name of an alternative; of one with a Shape<T>::flag the name where the flag is false, and
// `flagged` where it is true.
struct Alternative {
  std::string_view name;
  std::string_view flagged;
  constexpr Alternative(const char* plain, const char* other = "")  // NOLINT: meant to convert
      : name(plain), flagged(other) {}
};

// What holds between members of one object.
struct Tie {
  enum class Kind {
    kEither,       // `a` or `b` is there
    kOnlyWith,     // `a` only where `b` is
    kExactlyWhen,  // `a` is there exactly when `b` is the word `first`
    kNeverWhen,    // `a` is not true when `b` is the word `first` or `second`
  };
  Kind kind;
  std::string_view a;
  std::string_view b;
  std::string_view first = {};
  std::string_view second = {};
};

template <class T>
struct Shape;  // parts, and perhaps: def (the name in the schema), flag, rules
template <class V>
struct Alternatives;  // tag, names

template <class T>
concept HasShape = requires { Shape<T>::parts; };
template <class V>
concept HasAlternatives = requires { Alternatives<V>::tag; };
template <class T>
concept HasFlag = requires { Shape<T>::flag; };
template <class T>
concept HasRules = requires { Shape<T>::rules; };

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<std::vector<T>> = true;

// Whether a member of type M may be left out.
template <class M>
constexpr bool may_lack(const Spec& spec) {
  return is_optional<M> || std::is_same_v<M, bool> || std::is_same_v<M, Comments> ||
         (is_list<M> && spec.least == 0);
}

}  // namespace turnout::track::json
