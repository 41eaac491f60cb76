// Leaves as text.

#include <array>
#include <charconv>

#include "base/overloaded.h"
#include "base/time.h"
#include "lang/format_parts.h"
#include "lang/formatter.h"
#include "lang/lexer.h"
#include "lang/words.h"
#include "track/leaves.h"

namespace turnout::lang {
namespace {

bool reads_back(const std::string& token, std::string_view value) {
  const Tokens tokens = lex(token);
  return tokens.diagnostics.empty() && tokens.tokens.size() == 2 && tokens.comments.empty() &&
         tokens.tokens[0].kind == TokenKind::kString && tokens.texts[0] == value;
}

}  // namespace

std::string format_number(double number) { return track::number_text(number); }

std::string format_percent(double percent) { return format_number(percent) + "%"; }

std::string format_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      std::array<char, 4> hex{};
      const auto end = std::to_chars(hex.data(), hex.data() + hex.size(), byte, 16);
      out += "\\u{" + std::string(hex.data(), end.ptr) + "}";
    } else {
      out.push_back(c);
    }
  }
  return out + "\"";
}

std::string format_block(std::string_view text, std::string_view indent) {
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("\"\"\"")) {
      escaped += "\\\"\"\"";
      i += 2;
    } else {
      escaped.push_back(text[i]);
    }
  }
  std::string block = "\"\"\"" + escaped + "\"\"\"";
  if (escaped.find('\n') != std::string::npos) {
    block = "\"\"\"\n";
    for (std::size_t begin = 0; begin <= escaped.size();) {
      const std::size_t end = std::min(escaped.find('\n', begin), escaped.size());
      if (end > begin) {
        block += std::string(indent) + "    " + escaped.substr(begin, end - begin);
      }
      block += "\n";
      begin = end + 1;
    }
    block += std::string(indent) + "  \"\"\"";
  }
  return reads_back(block, text) ? block : format_string(text);
}

std::string format_field(std::string_view name) {
  return is_reserved(name) ? "`" + std::string(name) + "`" : std::string(name);
}

std::string format_duration(const track::DurationSpec& duration) {
  return track::duration_text(duration);
}

std::string format_time(track::TimeOfDay time) { return track::time_text(time); }

std::string format_date_time(const track::DateTime& at) {
  const std::string out = base::format_date(at.date) + " " + format_time(at.time);
  return at.zone ? out + " [" + *at.zone + "]" : out;
}

std::string format_days(track::Days days) {
  if (days == track::kMondayToFriday) {
    return "weekdays";
  }
  std::string out;
  for (std::size_t i = 0; i < track::kDayNames.size(); ++i) {
    if ((days.bits >> i & 1U) != 0) {
      out += out.empty() ? "" : ", ";
      out += track::kDayNames.at(i);
    }
  }
  return out;
}

std::string format_every_days(const track::EveryDays& every) {
  std::string days = format_days(every.days);
  if (every.days == track::kEveryDay) {
    days = "day";
  } else if (every.days == track::kMondayToFriday) {
    days = "weekday";
  }
  return "every " + days + " at " + format_time(every.at);
}

std::string format_clock(const track::Clock& clock) {
  const std::string out = "at " + format_time(clock.at);
  return clock.days ? out + " on " + format_days(*clock.days) : out;
}

std::string format_operand(const track::Operand& operand) {
  return std::visit(
      base::Overloaded{[](const std::string& text) { return format_string(text); },
                       [](double number) { return format_number(number); },
                       [](bool truth) { return std::string(truth ? "true" : "false"); },
                       [](base::Date date) { return base::format_date(date); },
                       [](const track::DateTime& at) { return format_date_time(at); },
                       [](const track::FieldRef& field) { return format_field(field.name); },
                       [](track::Now) { return std::string("now"); },
                       [](track::Today) { return std::string("today"); }},
      operand.value);
}

namespace {

std::string json_on_one_line(const track::Json& json);

template <class Items, class Print>
std::string joined(const Items& items, std::string_view separator, Print print) {
  std::string out;
  bool first = true;
  for (const auto& item : items) {
    out += first ? "" : separator;
    out += print(item);
    first = false;
  }
  return out;
}

std::string json_on_one_line(const track::Json& json) {
  if (const auto* object = std::get_if<track::Json::Object>(&json.value)) {
    if (object->members.empty()) {
      return "{}";
    }
    return "{ " +
           joined(object->members, ", ",
                  [](const auto& member) {
                    return format_string(member.first) + ": " + json_on_one_line(member.second);
                  }) +
           " }";
  }
  if (const auto* list = std::get_if<track::Json::List>(&json.value)) {
    return "[" + joined(list->items, ", ", json_on_one_line) + "]";
  }
  return format_operand(std::get<track::Operand>(json.value));
}

}  // namespace

std::string format_json(const track::Json& json, std::string_view indent, std::size_t used) {
  std::string line = json_on_one_line(json);
  const bool plain = std::holds_alternative<track::Operand>(json.value);
  // JSON nests at most 100 deep, so that trying the line at each level costs at most 100 times the
  // length.
  if (used + line.size() <= kFormatWidth || plain || line.size() <= 2) {
    return line;
  }
  const std::string inner = std::string(indent) + "  ";
  if (const auto* object = std::get_if<track::Json::Object>(&json.value)) {
    return "{\n" +
           joined(object->members, ",\n",
                  [&](const auto& member) {
                    const std::string key = inner + format_string(member.first) + ": ";
                    return key + format_json(member.second, inner, key.size() + 1);
                  }) +
           "\n" + std::string(indent) + "}";
  }
  return "[\n" +
         joined(
             std::get<track::Json::List>(json.value).items, ",\n",
             [&](const auto& item) { return inner + format_json(item, inner, inner.size() + 1); }) +
         "\n" + std::string(indent) + "]";
}

}  // namespace turnout::lang
