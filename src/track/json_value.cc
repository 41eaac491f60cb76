#include "track/json_value.h"

#include <cstdint>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/overloaded.h"
#include "base/text.h"
#include "track/json_form.h"
#include "track/leaves.h"

namespace turnout::track {
namespace {

// Takes the parser's events and builds the value without recursion. A function that answers false
// ends the reading.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return put(JsonValue{nullptr}); }
  bool boolean(bool value) override { return put(JsonValue{value}); }
  bool number_integer(number_integer_t value) override {
    return put(JsonValue{static_cast<double>(value)});
  }
  bool number_unsigned(number_unsigned_t value) override {
    return put(JsonValue{static_cast<double>(value)});
  }
  bool number_float(number_float_t value, const string_t& /*text*/) override {
    return put(JsonValue{value});
  }
  bool string(string_t& value) override { return put(JsonValue{std::move(value)}); }
  bool binary(binary_t& /*value*/) override { return false; }
  bool start_object(std::size_t /*elements*/) override { return open(JsonValue{JsonObject()}); }
  bool start_array(std::size_t /*elements*/) override { return open(JsonValue{JsonList()}); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& value) override {
    std::get<JsonObject>(open_.back().data).push_back({std::move(value), {}});
    return true;
  }
  bool parse_error(std::size_t /*position*/, const std::string& /*last*/,
                   const nlohmann::json::exception& error) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: …"
    std::string_view what = error.what();
    const std::size_t prefix = what.find("] ");
    what.remove_prefix(prefix == std::string_view::npos ? 0 : prefix + 2);
    what = what.substr(0, base::first_invalid_utf8(what));
    problem_ = "is not JSON: " + std::string(what);
    return false;
  }

  const std::string& problem() const { return problem_; }
  JsonValue take() { return std::move(whole_); }

 private:
  bool count() {
    if (++values_ > kMaxJsonValues) {
      problem_ = "has more than " + base::with_thousands(kMaxJsonValues) + " values";
    }
    return problem_.empty();
  }
  bool open(JsonValue value) {
    if (open_.size() == kMaxJsonDepth) {
      problem_ = fmt::format("is nested more than {} deep", kMaxJsonDepth);
    }
    open_.push_back(std::move(value));
    return count();
  }
  bool close() {
    JsonValue value = std::move(open_.back());
    open_.pop_back();
    place(std::move(value));
    return true;
  }
  bool put(JsonValue value) {
    place(std::move(value));
    return count();
  }
  void place(JsonValue value) {
    if (open_.empty()) {
      whole_ = std::move(value);
    } else if (auto* const list = std::get_if<JsonList>(&open_.back().data)) {
      list->push_back(std::move(value));
    } else {
      std::get<JsonObject>(open_.back().data).back().value = std::move(value);
    }
  }

  std::vector<JsonValue> open_;  // from the outermost to the one being read
  JsonValue whole_;
  std::size_t values_ = 0;
  std::string problem_;
};

}  // namespace

std::string read_json_value(std::string_view text, JsonValue& value) {
  if (text.size() > kMaxJsonBytes) {
    return fmt::format("has {} bytes; at most {} are read",
                       base::with_thousands(static_cast<long long>(text.size())),
                       base::with_thousands(kMaxJsonBytes));
  }
  Builder builder;
  const bool whole = nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  if (!builder.problem().empty()) {
    return builder.problem();
  }
  if (!whole) {
    return "is not JSON";
  }
  value = builder.take();
  return {};
}

std::string what_it_is(const JsonValue& value) {
  constexpr std::size_t kShown = 40;
  return std::visit(
      base::Overloaded{[](std::nullptr_t) { return std::string("null"); },
                       [](bool truth) { return std::string(truth ? "true" : "false"); },
                       [](double number) { return "the number " + number_text(number); },
                       [](const std::string& text) {
                         const bool plain = text.size() <= kShown &&
                                            text.find_first_of("\"\n\r") == text.npos &&
                                            text.find('\0') == text.npos;
                         return plain ? "the text \"" + text + "\"" : std::string("a text");
                       },
                       [](const JsonList&) { return std::string("a list"); },
                       [](const JsonObject&) { return std::string("an object"); }},
      value.data);
}

}  // namespace turnout::track
