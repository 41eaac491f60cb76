#include "template/json.h"

#include <cmath>

#include "template/escape.h"
#include "template/number.h"

namespace turnout::tmpl {
namespace {

using base::Result;

class JsonWriter {
 public:
  JsonWriter(std::string& to, std::string_view indent, Budget& budget)
      : to_(to), indent_(indent), budget_(budget) {}

  Result<void> write(const Value& value) {
    TRYV(budget_.steps(1));
    switch (value.kind()) {
      case Value::Kind::kBoolean:
        to_ += value.as_boolean() ? "true" : "false";
        break;
      case Value::Kind::kNumber:
        to_ += std::isfinite(value.as_number()) ? number_text(value.as_number()) : "null";
        break;
      case Value::Kind::kText:
        write_text(value.as_text());
        break;
      case Value::Kind::kArray: {
        TRYV(write_array(value.items()));
        break;
      }
      case Value::Kind::kObject: {
        TRYV(write_object(value.members()));
        break;
      }
      default:
        to_ += "null";
    }
    if (to_.size() > kMaxTextBytes) {
      return budget_.text(to_.size());
    }
    return base::ok();
  }

 private:
  void write_text(std::string_view text) {
    to_ += '"';
    append_escaped(to_, text, Escape::kJson);
    to_ += '"';
  }

  void new_line() {
    if (!indent_.empty()) {
      to_ += '\n';
      for (std::size_t i = 0; i < level_; ++i) {
        to_ += indent_;
      }
    }
  }

  Result<void> write_array(const Value::Items& items) {
    to_ += '[';
    ++level_;
    bool first = true;
    for (const Value& item : items) {
      to_ += first ? "" : ",";
      first = false;
      new_line();
      TRYV(write(item));
    }
    --level_;
    if (!first) {
      new_line();
    }
    to_ += ']';
    return base::ok();
  }

  Result<void> write_object(const Value::Members& members) {
    to_ += '{';
    ++level_;
    bool first = true;
    for (const auto& [name, value] : members) {
      if (value.is_missing()) {
        continue;
      }
      to_ += first ? "" : ",";
      first = false;
      new_line();
      write_text(name);
      to_ += indent_.empty() ? ":" : ": ";
      TRYV(write(value));
    }
    --level_;
    if (!first) {
      new_line();
    }
    to_ += '}';
    return base::ok();
  }

  std::string& to_;
  std::string_view indent_;
  Budget& budget_;
  std::size_t level_ = 0;
};

}  // namespace

Result<void> append_json(std::string& to, const Value& value, std::string_view indent,
                         Budget& budget) {
  return JsonWriter(to, indent, budget).write(value);
}

}  // namespace turnout::tmpl
