#include "cli/import_values.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"

namespace turnout::cli {
namespace {

using track::Type;
using track::Value;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

std::optional<double> read_number(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() ||
      !std::isfinite(number)) {
    return std::nullopt;
  }
  return number;
}

bool is_true_word(std::string_view text) {
  return base::equals_ignoring_case(text, "yes") || base::equals_ignoring_case(text, "true");
}
bool is_false_word(std::string_view text) {
  return base::equals_ignoring_case(text, "no") || base::equals_ignoring_case(text, "false");
}

// "007" and "+49…" are codes: as numbers they would lose characters.
bool is_code(std::string_view text) {
  if (text.starts_with('+')) {
    return true;
  }
  if (text.starts_with('-')) {
    text.remove_prefix(1);
  }
  return text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

std::optional<Value> read_cell(std::string_view cell, Type type) {
  if (type == Type::kText || type == Type::kUntyped) {
    return cell.empty() ? Value(track::Missing{}) : Value(std::string(cell));
  }
  const std::string_view text = trimmed(cell);
  if (text.empty()) {
    return Value(track::Missing{});
  }
  switch (type) {
    case Type::kNumber:
      if (const auto number = read_number(text)) {
        return Value(*number);
      }
      return std::nullopt;
    case Type::kBoolean:
      if (is_true_word(text) || text == "1") {
        return Value(true);
      }
      return is_false_word(text) || text == "0" ? std::optional<Value>(Value(false)) : std::nullopt;
    case Type::kDate: {
      auto date = base::parse_date(text);
      return date ? std::optional<Value>(Value(date.value())) : std::nullopt;
    }
    case Type::kTimestamp: {
      auto at = text.size() == 10 ? base::parse_instant(std::string(text) + "T00:00:00Z")
                                  : base::parse_instant(text);
      return at ? std::optional<Value>(Value(at.value())) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

const char* what_is_wanted(Type type) {
  switch (type) {
    case Type::kNumber:
      return "a number (such as 12 or -3.5)";
    case Type::kBoolean:
      return "yes, no, true or false";
    case Type::kDate:
      return "a date (such as 2026-12-01)";
    case Type::kTimestamp:
      return "a time (such as 2026-12-01T09:00:00Z)";
    default:
      return "text";
  }
}

void TypeGuess::see(std::string_view cell) {
  const std::string_view text = trimmed(cell);
  if (text.empty()) {
    return;
  }
  any_ = true;
  number_ = number_ && !is_code(text) && read_number(text).has_value();
  boolean_ = boolean_ && (is_true_word(text) || is_false_word(text));
  date_ = date_ && base::parse_date(text).has_value();
  timestamp_ = timestamp_ && read_cell(text, Type::kTimestamp).has_value();
}

Type TypeGuess::type() const {
  if (!any_) {
    return Type::kText;
  }
  return number_      ? Type::kNumber
         : boolean_   ? Type::kBoolean
         : date_      ? Type::kDate
         : timestamp_ ? Type::kTimestamp
                      : Type::kText;
}

std::string field_name_of(std::string_view title) {
  std::string name;
  bool gap = false;
  for (const char c : title) {
    if (is_name_char(c)) {
      const bool digit_first = name.empty() && c >= '0' && c <= '9';
      if (digit_first || (gap && !name.empty())) {
        name.push_back('_');
      }
      gap = false;
      name.push_back(c);
    } else {
      gap = true;
    }
  }
  return name;
}

base::Result<KeyTemplate> KeyTemplate::parse(std::string_view text,
                                             const std::vector<std::string>& names) {
  KeyTemplate made;
  Piece piece;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c == '{' || c == '}') && i + 1 < text.size() && text[i + 1] == c) {
      piece.text.push_back(c);
      ++i;
      continue;
    }
    if (c == '}') {
      return base::fail(
          base::ErrorCode::kInvalid,
          fmt::format("\"{}\": a \"}}\" stands alone; write it twice to have one", text));
    }
    if (c != '{') {
      piece.text.push_back(c);
      continue;
    }
    const std::size_t close = text.find('}', i);
    if (close == std::string_view::npos) {
      return base::fail(
          base::ErrorCode::kInvalid,
          fmt::format("\"{}\": a \"{{\" is not closed; write it twice to have one", text));
    }
    std::string_view place = text.substr(i + 1, close - i - 1);
    if (const std::size_t colon = place.find(':'); colon != std::string_view::npos) {
      const std::string_view width = place.substr(colon + 1);
      const auto [end, error] =
          std::from_chars(width.data(), width.data() + width.size(), piece.width);
      if (width.empty() || width[0] != '0' || error != std::errc() ||
          end != width.data() + width.size() || piece.width > 20) {
        return base::fail(
            base::ErrorCode::kInvalid,
            fmt::format("\"{}\": \":{}\" is no width; write :05 for five digits", text, width));
      }
      place = place.substr(0, colon);
    }
    const auto found = std::find(names.begin(), names.end(), place);
    if (found == names.end()) {
      const std::string_view meant = base::closest(place, names);
      return base::fail(base::ErrorCode::kInvalid,
                        fmt::format("\"{}\": there is no column \"{}\"; {}", text, place,
                                    meant.empty() ? "{row} is the line's number, others are columns"
                                                  : fmt::format("did you mean {{{}}}?", meant)));
    }
    piece.name = static_cast<std::size_t>(found - names.begin());
    made.pieces_.push_back(std::move(piece));
    piece = {};
    i = close;
  }
  made.pieces_.push_back(std::move(piece));
  return made;
}

std::string KeyTemplate::fill(const std::vector<std::string_view>& values) const {
  std::string out;
  for (const Piece& piece : pieces_) {
    out += piece.text;
    if (piece.name) {
      const std::string_view value = values[*piece.name];
      out.append(piece.width > value.size() ? piece.width - value.size() : 0, '0');
      out += value;
    }
  }
  return out;
}

}  // namespace turnout::cli
