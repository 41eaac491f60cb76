#include "template/value.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "base/check.h"

namespace turnout::tmpl {

struct Value::ArrayData {
  Items items;
  std::size_t depth = 1;
};

struct Value::ObjectData {
  Members members;
  std::vector<std::uint32_t> by_name;  // numbers of members, ordered by name
  std::size_t depth = 1;
};

Value::Value(std::string text)
    : kind_(Kind::kText), data_(std::make_shared<const std::string>(std::move(text))) {}

Value Value::boolean(bool value) {
  Value result(Kind::kBoolean);
  result.data_ = value;
  return result;
}

Value Value::number(double value) {
  Value result(Kind::kNumber);
  result.data_ = value;
  return result;
}

Value Value::array(Items items) {
  auto data = std::make_shared<ArrayData>();
  for (const Value& item : items) {
    data->depth = std::max(data->depth, item.depth() + 1);
  }
  data->items = std::move(items);
  Value result(Kind::kArray);
  result.data_ = std::shared_ptr<const ArrayData>(std::move(data));
  return result;
}

Value Value::object(Members members) {
  auto data = std::make_shared<ObjectData>();
  std::unordered_map<std::string, std::size_t> places;
  for (auto& [name, value] : members) {
    const auto [place, added] = places.try_emplace(name, data->members.size());
    if (added) {
      data->members.emplace_back(std::move(name), std::move(value));
    } else {
      data->members[place->second].second = std::move(value);
    }
  }
  for (const auto& [name, value] : data->members) {
    data->depth = std::max(data->depth, value.depth() + 1);
  }
  data->by_name.resize(data->members.size());
  std::iota(data->by_name.begin(), data->by_name.end(), 0U);
  std::sort(data->by_name.begin(), data->by_name.end(), [&](std::uint32_t a, std::uint32_t b) {
    return data->members[a].first < data->members[b].first;
  });
  Value result(Kind::kObject);
  result.data_ = std::shared_ptr<const ObjectData>(std::move(data));
  return result;
}

bool Value::as_boolean() const {
  CHECK(kind_ == Kind::kBoolean);
  return std::get<bool>(data_);
}

double Value::as_number() const {
  CHECK(kind_ == Kind::kNumber);
  return std::get<double>(data_);
}

const std::string& Value::as_text() const {
  CHECK(kind_ == Kind::kText);
  return *std::get<std::shared_ptr<const std::string>>(data_);
}

const Value::Items& Value::items() const {
  CHECK(kind_ == Kind::kArray);
  return std::get<std::shared_ptr<const ArrayData>>(data_)->items;
}

const Value::Members& Value::members() const {
  CHECK(kind_ == Kind::kObject);
  return std::get<std::shared_ptr<const ObjectData>>(data_)->members;
}

const Value* Value::find(std::string_view name) const {
  CHECK(kind_ == Kind::kObject);
  const ObjectData& data = *std::get<std::shared_ptr<const ObjectData>>(data_);
  const auto found = std::lower_bound(
      data.by_name.begin(), data.by_name.end(), name,
      [&](std::uint32_t a, std::string_view b) { return data.members[a].first < b; });
  return found != data.by_name.end() && data.members[*found].first == name
             ? &data.members[*found].second
             : nullptr;
}

std::size_t Value::depth() const {
  if (kind_ == Kind::kArray) {
    return std::get<std::shared_ptr<const ArrayData>>(data_)->depth;
  }
  return kind_ == Kind::kObject ? std::get<std::shared_ptr<const ObjectData>>(data_)->depth : 0;
}

const void* Value::identity() const {
  if (kind_ == Kind::kArray) {
    return std::get<std::shared_ptr<const ArrayData>>(data_).get();
  }
  return kind_ == Kind::kObject ? std::get<std::shared_ptr<const ObjectData>>(data_).get()
                                : nullptr;
}

}  // namespace turnout::tmpl
