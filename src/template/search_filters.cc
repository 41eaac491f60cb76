// Filters that look for items: by a property, or by a question asked about each.

#include <map>
#include <optional>

#include "template/convert.h"
#include "template/filters.h"
#include "template/property.h"

namespace turnout::tmpl {
namespace {

using base::Result;

// Whether the item's property is what is looked for; or, if that is not said, is true.
class PropertyTest {
 public:
  static Result<PropertyTest> make(const Arguments& arguments, Surroundings& s) {
    TRY(const std::string text, text_of(arguments[0], s.budget));
    return PropertyTest(property_path(text), arguments[1], s.budget);
  }

  Result<bool> fits(const Value& item) const {
    TRYV(budget_.steps(1 + path_.size()));
    const Value found = property_of(item, path_);
    return wanted_.is_missing() ? Result<bool>(found.truthy()) : equal(found, wanted_, budget_);
  }

 private:
  PropertyTest(std::vector<Value> path, Value wanted, Budget& budget)
      : path_(std::move(path)), wanted_(std::move(wanted)), budget_(budget) {}

  std::vector<Value> path_;
  Value wanted_;
  Budget& budget_;
};

template <bool kKeep>
Result<Value> where(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(const auto items, items_of(input, s.budget));
  TRY(const auto test, PropertyTest::make(arguments, s));
  Value::Items kept;
  for (const Value& item : items) {
    TRY(const bool fits, test.fits(item));
    if (fits == kKeep) {
      kept.push_back(item);
    }
  }
  return made_array(std::move(kept), s);
}

// Only the answers true and false count here, not what is merely truthy.
template <bool kKeep>
Result<Value> where_question(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(const auto items, items_of(input, s.budget));
  Value::Items kept;
  for (const Value& item : items) {
    TRY(const Value answer, arguments.question(item));
    if (answer.kind() == Value::Kind::kBoolean && answer.as_boolean() == kKeep) {
      kept.push_back(item);
    }
  }
  return made_array(std::move(kept), s);
}

Result<std::optional<std::size_t>> first_by_property(const Value::Items& items,
                                                     const Arguments& arguments, Surroundings& s) {
  TRY(const auto test, PropertyTest::make(arguments, s));
  for (std::size_t i = 0; i < items.size(); ++i) {
    TRY(const bool fits, test.fits(items[i]));
    if (fits) {
      return std::optional(i);
    }
  }
  return std::optional<std::size_t>();
}

Result<std::optional<std::size_t>> first_by_question(const Value::Items& items,
                                                     const Arguments& arguments,
                                                     Surroundings& /*s*/) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    TRY(const Value answer, arguments.question(items[i]));
    if (answer.truthy()) {
      return std::optional(i);
    }
  }
  return std::optional<std::size_t>();
}

using FirstFinder = Result<std::optional<std::size_t>> (*)(const Value::Items&, const Arguments&,
                                                           Surroundings&);

template <FirstFinder kFirst>
Result<Value> find(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(const auto items, items_of(input, s.budget));
  TRY(const auto at, kFirst(items, arguments, s));
  return at ? items[*at] : Value();
}

template <FirstFinder kFirst>
Result<Value> find_index(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(const auto items, items_of(input, s.budget));
  TRY(const auto at, kFirst(items, arguments, s));
  return at ? Value::number(static_cast<double>(*at)) : Value();
}

template <FirstFinder kFirst>
Result<Value> has(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(const auto items, items_of(input, s.budget));
  TRY(const auto at, kFirst(items, arguments, s));
  return Value::boolean(at.has_value());
}

// Groups in the order of their first items, each {"name": …, "items": […]}.
class Groups {
 public:
  explicit Groups(Budget& budget) : budget_(budget) {}

  Result<void> add(const Value& name, const Value& item) {
    const std::string key = sameness(name);
    TRYV(budget_.reading(key));
    const auto [place, added] = places_.try_emplace(key, groups_.size());
    if (added) {
      groups_.push_back({name, {}});
    }
    groups_[place->second].items.push_back(item);
    return base::ok();
  }

  Result<Value> result(Surroundings& s) {
    Value::Items all;
    for (Group& group : groups_) {
      TRY(auto items, made_array(std::move(group.items), s));
      all.push_back(Value::object({{"name", group.name}, {"items", std::move(items)}}));
    }
    return made_array(std::move(all), s);
  }

 private:
  struct Group {
    Value name;
    Value::Items items;
  };

  Budget& budget_;
  std::map<std::string, std::size_t> places_;
  std::vector<Group> groups_;
};

Result<Value> group_by(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(const auto items, loop_items_of(input, s.budget));
  TRY(const std::string text, text_of(arguments[0], s.budget));
  const std::vector<Value> path = property_path(text);
  TRYV(s.budget.steps(items.size() * path.size()));
  Groups groups(s.budget);
  for (const Value& item : items) {
    TRYV(groups.add(property_of(item, path), item));
  }
  return groups.result(s);
}

Result<Value> group_by_question(const Value& input, const Arguments& arguments, Surroundings& s) {
  TRY(const auto items, loop_items_of(input, s.budget));
  Groups groups(s.budget);
  for (const Value& item : items) {
    TRY(const Value name, arguments.question(item));
    TRYV(groups.add(name, item));
  }
  return groups.result(s);
}

constexpr FilterSpec kSearchFilters[] = {
    {"where", 1, 2, where<true>},
    {"reject", 1, 2, where<false>},
    {"find", 1, 2, find<first_by_property>},
    {"find_index", 1, 2, find_index<first_by_property>},
    {"has", 1, 2, has<first_by_property>},
    {"group_by", 1, 1, group_by},
    {"where_exp", 2, 2, where_question<true>, Takes::kQuestion},
    {"reject_exp", 2, 2, where_question<false>, Takes::kQuestion},
    {"find_exp", 2, 2, find<first_by_question>, Takes::kQuestion},
    {"find_index_exp", 2, 2, find_index<first_by_question>, Takes::kQuestion},
    {"has_exp", 2, 2, has<first_by_question>, Takes::kQuestion},
    {"group_by_exp", 2, 2, group_by_question, Takes::kQuestion},
};

}  // namespace

std::span<const FilterSpec> search_filters() { return kSearchFilters; }

}  // namespace turnout::tmpl
