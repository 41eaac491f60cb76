// The tree as JSON.

#include <fmt/format.h>

#include "base/overloaded.h"
#include "base/time.h"
#include "track/json_form.h"
#include "track/json_members.h"
#include "track/json_tree.h"
#include "track/leaves.h"

namespace turnout::track {
namespace json {
namespace {

// Puts commas, line ends and indentation between what it is given.
class Printer {
 public:
  explicit Printer(JsonLayout layout) : indented_(layout == JsonLayout::kIndented) {}

  void begin(char bracket) {
    out_.push_back(bracket);
    ++depth_;
    first_ = true;
  }
  void end(char bracket) {
    --depth_;
    if (!first_) {
      line();
    }
    out_.push_back(bracket);
    first_ = false;
  }
  void item() {
    if (!first_) {
      out_.push_back(',');
    }
    first_ = false;
    line();
  }
  void name(std::string_view name) {
    item();
    text(name);
    out_ += indented_ ? ": " : ":";
  }
  void text(std::string_view text);
  void raw(std::string_view text) { out_ += text; }

  std::string take() && {
    line();
    return std::move(out_);
  }

 private:
  void line() {
    if (indented_) {
      out_.push_back('\n');
      out_.append(depth_ * 2, ' ');
    }
  }

  std::string out_;
  std::size_t depth_ = 0;
  bool first_ = true;
  bool indented_;
};

void Printer::text(std::string_view text) {
  out_.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out_.push_back('\\');
      out_.push_back(c);
    } else if (c == '\n') {
      out_ += "\\n";
    } else if (c == '\t') {
      out_ += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      fmt::format_to(std::back_inserter(out_), "\\u{:04x}", byte);
    } else {
      out_.push_back(c);
    }
  }
  out_.push_back('"');
}

// write() is overloaded for everything that can be the value of a member.
template <class T>
  requires HasShape<T>
void write(Printer& out, const T& node);
template <class V>
  requires HasAlternatives<V>
void write(Printer& out, const V& variant);
void write(Printer& out, const Operand& operand);
void write(Printer& out, const Json& json);
template <class T>
void write(Printer& out, const std::vector<T>& items);

void write(Printer& out, const std::string& text) { out.text(text); }
void write(Printer& out, const Name& name) { out.text(name.text); }
void write(Printer& out, const FieldRef& field) { out.text(field.name); }
void write(Printer& out, bool truth) { out.raw(truth ? "true" : "false"); }
void write(Printer& out, double number) { out.raw(number_text(number)); }
void write(Printer& out, const DurationSpec& duration) { out.text(duration_text(duration)); }
void write(Printer& out, TimeOfDay time) { out.text(time_text(time)); }
void write(Printer& out, const DateTime& at) { out.text(date_time_text(at)); }
void write(Printer& out, Days days) {
  out.begin('[');
  for (std::size_t i = 0; i < kDayNames.size(); ++i) {
    if ((days.bits >> i & 1U) != 0) {
      out.item();
      out.text(kDayNames.at(i));
    }
  }
  out.end(']');
}

template <class T>
void write(Printer& out, const std::optional<T>& value) {
  if (value) {
    write(out, *value);
  }
}
template <class T>
void write(Printer& out, const Box<T>& value) {
  write(out, *value);
}
template <class T>
void write(Printer& out, const std::vector<T>& items) {
  out.begin('[');
  for (const T& item : items) {
    out.item();
    write(out, item);
  }
  out.end(']');
}

// {"NAME": VALUE}
template <class T>
void write_only(Printer& out, std::string_view name, const T& value) {
  out.begin('{');
  out.name(name);
  write(out, value);
  out.end('}');
}

void write(Printer& out, const Operand& operand) {
  std::visit(
      base::Overloaded{
          [&](const std::string& text) { out.text(text); },
          [&](double number) { write(out, number); }, [&](bool truth) { write(out, truth); },
          [&](base::Date date) { write_only(out, kDate, base::format_date(date)); },
          [&](const DateTime& at) { write_only(out, kDateTime, at); },
          [&](const FieldRef& field) { write_only(out, kField, field); },
          [&](Now) { write_only(out, kNow, true); }, [&](Today) { write_only(out, kToday, true); }},
      operand.value);
}

void write(Printer& out, const std::variant<Operand, DurationSpec>& by) {
  if (const auto* duration = std::get_if<DurationSpec>(&by)) {
    write_only(out, kDuration, *duration);
  } else {
    write(out, std::get<Operand>(by));
  }
}

// The members of an object behind `with`: an object where that keeps them as they are, else a list
// of pairs.
void write_members(Printer& out, const Json::Object& object) {
  const bool plain = is_plain(object);
  out.begin(plain ? '{' : '[');
  for (const Json::Member& member : object.members) {
    if (plain) {
      out.name(member.first);
      write(out, member.second);
    } else {
      out.item();
      out.begin('[');
      out.item();
      out.text(member.first);
      out.item();
      write(out, member.second);
      out.end(']');
    }
  }
  out.end(plain ? '}' : ']');
}

void write(Printer& out, const Json& json) {
  if (const auto* object = std::get_if<Json::Object>(&json.value)) {
    out.begin('{');
    out.name(kObject);
    write_members(out, *object);
    out.end('}');
  } else if (const auto* list = std::get_if<Json::List>(&json.value)) {
    write(out, list->items);
  } else {
    write(out, std::get<Operand>(json.value));
  }
}

// ---- Members of objects

bool is_left_out(bool value, const Spec& /*spec*/) { return !value; }
bool is_left_out(const Comments& comments, const Spec& /*spec*/) {
  return comments.before.empty() && !comments.behind;
}
template <class T>
bool is_left_out(const std::optional<T>& value, const Spec& /*spec*/) {
  return !value;
}
template <class T>
bool is_left_out(const std::vector<T>& items, const Spec& spec) {
  return spec.left_out_when_empty && items.empty();
}
template <class T>
bool is_left_out(const T& /*value*/, const Spec& /*spec*/) {
  return false;
}

template <class T>
void write_parts(Printer& out, const T& node);

template <class V>
void write_alternative(Printer& out, const V& variant) {
  std::visit(
      [&]<class A>(const A& alternative) {
        const Alternative& name = Alternatives<V>::names[variant.index()];
        out.name(Alternatives<V>::tag);
        if constexpr (HasFlag<A>) {
          out.text(alternative.*Shape<A>::flag ? name.flagged : name.name);
        } else {
          out.text(name.name);
        }
        write_parts(out, alternative);
      },
      variant);
}

template <class T, class M>
void write_part(Printer& out, const T& node, const Member<T, M>& part) {
  const M& value = node.*part.at;
  if (is_left_out(value, part.spec)) {
    return;
  }
  out.name(part.name);
  if constexpr (std::is_same_v<M, std::optional<Json>>) {
    if (value) {
      write_members(out, std::get<Json::Object>(value->value));  // behind `with` it is an object
    }
  } else {
    write(out, value);
  }
}
template <class T, class M, std::size_t kCount>
void write_part(Printer& out, const T& node, const Words<T, M, kCount>& part) {
  const auto index = static_cast<std::size_t>(node.*part.at);
  if (part.usual != index) {
    out.name(part.name);
    out.text(part.words.at(index));
  }
}
template <class T, class V>
void write_part(Printer& out, const T& node, const Flat<T, V>& part) {
  write_alternative(out, node.*part.at);
}

template <class T>
void write_parts(Printer& out, const T& node) {
  std::apply([&](const auto&... part) { (write_part(out, node, part), ...); }, Shape<T>::parts);
}

template <class T>
  requires HasShape<T>
void write(Printer& out, const T& node) {
  out.begin('{');
  write_parts(out, node);
  out.end('}');
}
template <class V>
  requires HasAlternatives<V>
void write(Printer& out, const V& variant) {
  out.begin('{');
  write_alternative(out, variant);
  out.end('}');
}

}  // namespace
}  // namespace json

std::string to_json(const Track& track, JsonLayout layout) {
  json::Printer out(layout);
  out.begin('{');
  out.name(json::kFormat);
  out.raw(std::to_string(kJsonFormat));
  json::write_parts(out, track);
  out.end('}');
  return std::move(out).take();
}

}  // namespace turnout::track
