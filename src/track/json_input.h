#pragma once

// Where the reader of the JSON form is, and what it found wrong; inside the JSON form only.

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "track/json_form.h"
#include "track/json_shape.h"
#include "track/json_value.h"

namespace turnout::track::json {

// How a condition stands in the text, which decides whether it needs brackets there.
enum class Stands { kAlone, kInOr, kInAnd, kBehindWord };

// An object while its members are read.
struct Reading {
  const JsonObject& members;
  std::vector<std::string_view> known = {};  // the names that it may have
  std::size_t found = 0;                     // how many of them it has
  std::size_t next = 0;                      // behind the member that was found last
  bool chosen = true;                        // all tags say which alternative it is

  // The member, or null. Its name counts as known; no name is asked for twice. Constant where the
  // members stand in the order of the writer.
  const JsonValue* find(std::string_view name);
};

class Input {
 public:
  // Goes to a member or an item of the value, and back at its end.
  class At {
   public:
    At(Input& in, std::string_view name) : in_(in) { in_.path_.emplace_back(name); }
    At(Input& in, std::size_t index) : in_(in) { in_.path_.emplace_back(index); }
    At(const At&) = delete;
    At& operator=(const At&) = delete;
    ~At() { in_.path_.pop_back(); }

   private:
    Input& in_;
  };

  // Something is wrong here.
  void wrong(std::string message);
  // Something else stands here than `expected` ("a text").
  void expected(std::string_view expected, const JsonValue& found);
  // Here stands a word that is none of `words`, or no word at all.
  void none_of(const std::vector<std::string>& words, const JsonValue& found);

  // Reports names that stand twice, and those that are not known.
  void check_names(const Reading& from);
  // Reports what does not hold between members.
  void check_tie(const JsonObject& object, const Tie& tie);

  std::vector<JsonProblem> take() && { return std::move(problems_); }
  bool empty() const { return problems_.empty(); }

  // Of the condition that is being read: how it stands, and how deep the text is nested there.
  Stands stands = Stands::kAlone;
  std::size_t nesting = 0;

 private:
  std::string pointer() const;

  std::vector<std::variant<std::string_view, std::size_t>> path_;
  std::vector<JsonProblem> problems_;
};

// "expected A, B or C".
std::string one_of_these(const std::vector<std::string>& words);

}  // namespace turnout::track::json
