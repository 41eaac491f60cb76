#include "track/json_input.h"

#include <algorithm>

#include "base/text.h"

namespace turnout::track::json {
namespace {

const JsonValue* member_named(const JsonObject& object, std::string_view name) {
  const auto found = std::find_if(object.begin(), object.end(),
                                  [&](const JsonMember& m) { return m.name == name; });
  return found == object.end() ? nullptr : &found->value;
}

bool is_word(const JsonValue* value, std::string_view word) {
  const auto* const text = value == nullptr ? nullptr : std::get_if<std::string>(&value->data);
  return text != nullptr && *text == word;
}

bool is_true(const JsonValue* value) {
  const bool* const truth = value == nullptr ? nullptr : std::get_if<bool>(&value->data);
  return truth != nullptr && *truth;
}

std::string quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }

std::string perhaps(std::string_view found, const std::vector<std::string>& words) {
  constexpr std::size_t kLongest = 60;
  if (found.size() > kLongest) {
    return "";
  }
  const std::string_view meant = base::closest(found, words);
  return meant.empty() ? "" : "; did you mean " + quoted(meant) + "?";
}

}  // namespace

std::string one_of_these(const std::vector<std::string>& words) {
  std::string out = "expected ";
  for (std::size_t i = 0; i < words.size(); ++i) {
    out += i == 0 ? "" : i + 1 == words.size() ? " or " : ", ";
    out += quoted(words[i]);
  }
  return out;
}

std::string Input::pointer() const {
  std::string out;
  for (const auto& step : path_) {
    out.push_back('/');
    if (const auto* const index = std::get_if<std::size_t>(&step)) {
      out += std::to_string(*index);
      continue;
    }
    for (const char c : std::get<std::string_view>(step)) {
      if (c == '~') {
        out += "~0";
      } else if (c == '/') {
        out += "~1";
      } else {
        out.push_back(c);
      }
    }
  }
  return out;
}

void Input::wrong(std::string message) {
  if (problems_.size() < kMaxJsonProblems) {
    problems_.push_back({pointer(), std::move(message)});
  }
}

void Input::expected(std::string_view expected, const JsonValue& found) {
  wrong("expected " + std::string(expected) + ", found " + what_it_is(found));
}

void Input::none_of(const std::vector<std::string>& words, const JsonValue& found) {
  const auto* const text = std::get_if<std::string>(&found.data);
  wrong(one_of_these(words) + ", found " + what_it_is(found) +
        (text == nullptr ? "" : perhaps(*text, words)));
}

const JsonValue* Reading::find(std::string_view name) {
  known.push_back(name);
  const JsonValue* value = nullptr;
  if (next < members.size() && members[next].name == name) {
    value = &members[next++].value;  // should it stand twice, that is reported
  } else {
    value = member_named(members, name);
  }
  found += value == nullptr ? 0 : 1;
  return value;
}

void Input::check_names(const Reading& from) {
  if (from.found == from.members.size()) {
    return;  // each is known, and stands once
  }
  std::vector<std::string_view> names;
  names.reserve(from.members.size());
  for (const JsonMember& m : from.members) {
    names.push_back(m.name);
  }
  std::sort(names.begin(), names.end());
  std::vector<std::string> lacking;
  for (const std::string_view name : from.known) {
    if (!std::binary_search(names.begin(), names.end(), name)) {
      lacking.emplace_back(name);
    }
  }
  for (const JsonMember& m : from.members) {
    if (problems_.size() == kMaxJsonProblems) {
      return;
    }
    if (std::find(from.known.begin(), from.known.end(), m.name) == from.known.end()) {
      const At at(*this, m.name);
      wrong("this member is not known here" + perhaps(m.name, lacking));
    }
  }
  for (auto i = names.begin(); (i = std::adjacent_find(i, names.end())) != names.end(); ++i) {
    const At at(*this, *i);
    wrong("this member stands twice");
  }
}

void Input::check_tie(const JsonObject& object, const Tie& tie) {
  const JsonValue* const a = member_named(object, tie.a);
  const JsonValue* const b = member_named(object, tie.b);
  switch (tie.kind) {
    case Tie::Kind::kEither:
      if (a == nullptr && b == nullptr) {
        wrong("expected a member " + quoted(tie.a) + " or " + quoted(tie.b));
      }
      break;
    case Tie::Kind::kOnlyWith:
      if (a != nullptr && b == nullptr) {
        const At at(*this, tie.a);
        wrong("this member stands only beside " + quoted(tie.b));
      }
      break;
    case Tie::Kind::kExactlyWhen:
      if (is_word(b, tie.first) && a == nullptr) {
        wrong("expected a member " + quoted(tie.a) + ", because " + quoted(tie.b) + " is " +
              quoted(tie.first));
      } else if (!is_word(b, tie.first) && a != nullptr) {
        const At at(*this, tie.a);
        wrong("this member stands only where " + quoted(tie.b) + " is " + quoted(tie.first));
      }
      break;
    case Tie::Kind::kNeverWhen:
      if (is_true(a) && (is_word(b, tie.first) || is_word(b, tie.second))) {
        const At at(*this, tie.a);
        wrong("this cannot be true where " + quoted(tie.b) + " is " + quoted(tie.first) + " or " +
              quoted(tie.second) + ": take the other of these two");
      }
      break;
  }
}

}  // namespace turnout::track::json
