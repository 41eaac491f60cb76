#pragma once

// What a template works with: the values that Liquid knows. A copy shares texts, arrays and
// objects, which never change once made, so copying costs the same whatever the size. Values may be
// read by any number of threads at once.
//
// Numbers are doubles, as they are in liquidjs and in contacts: there is no integer type, and 2.0
// is written 2 (number.h). A time is a text in ISO 8601, which the filter `date` reads.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace turnout::tmpl {

// Arrays and objects inside each other. Whoever makes values of outside data stays within it;
// render() refuses deeper ones.
inline constexpr std::size_t kMaxValueDepth = 64;

class Value {
 public:
  enum class Kind : std::uint8_t {
    kMissing,  // what an unknown variable or an absent member yields; otherwise like nil
    kNil,
    kBoolean,
    kNumber,
    kText,
    kArray,
    kObject,
    kEmpty,  // the words `empty` and `blank`: written as nothing, and equal to what they describe
    kBlank,
  };
  using Items = std::vector<Value>;
  using Members = std::vector<std::pair<std::string, Value>>;

  Value() = default;  // kMissing
  // NOLINTBEGIN(google-explicit-constructor): a text is a value
  Value(std::string text);
  Value(std::string_view text) : Value(std::string(text)) {}
  Value(const char* text) : Value(std::string(text)) {}
  // NOLINTEND(google-explicit-constructor)
  static Value nil() { return Value(Kind::kNil); }
  static Value boolean(bool value);
  static Value number(double value);
  static Value array(Items items);
  // Of members with the same name the last counts, at the place of the first. The order is kept.
  static Value object(Members members);
  static Value word(Kind kind) { return Value(kind); }  // kEmpty or kBlank

  Kind kind() const { return kind_; }
  bool is_missing() const { return kind_ == Kind::kMissing; }
  bool is_nil() const { return kind_ == Kind::kMissing || kind_ == Kind::kNil; }
  bool is_text() const { return kind_ == Kind::kText; }
  bool is_number() const { return kind_ == Kind::kNumber; }
  bool is_array() const { return kind_ == Kind::kArray; }
  bool is_object() const { return kind_ == Kind::kObject; }
  // All but nil and false are true, in Liquid.
  bool truthy() const { return !is_nil() && !(kind_ == Kind::kBoolean && !as_boolean()); }

  // The kind must be the one asked for.
  bool as_boolean() const;
  double as_number() const;
  const std::string& as_text() const;
  const Items& items() const;
  const Members& members() const;

  // The member of that name of an object, or null. Logarithmic in the number of members.
  const Value* find(std::string_view name) const;
  // 0 for what has no parts; an array is one deeper than its deepest item.
  std::size_t depth() const;
  // Which array or object it is: copies have the same, equal ones made apart do not.
  const void* identity() const;

 private:
  struct ArrayData;
  struct ObjectData;

  explicit Value(Kind kind) : kind_(kind) {}

  Kind kind_ = Kind::kMissing;
  std::variant<std::monostate, bool, double, std::shared_ptr<const std::string>,
               std::shared_ptr<const ArrayData>, std::shared_ptr<const ObjectData>>
      data_;
};

}  // namespace turnout::tmpl
