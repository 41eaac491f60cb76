#include "template/loop_values.h"

namespace turnout::tmpl {
namespace {

struct LoopMember {
  std::string_view name;
  bool table;  // of a tablerow only
  Value (*of)(const LoopState& loop);
};

Value counted(std::size_t number) { return Value::number(static_cast<double>(number)); }

constexpr LoopMember kLoopMembers[] = {
    {"index", false, [](const LoopState& l) { return counted(l.index + 1); }},
    {"index0", false, [](const LoopState& l) { return counted(l.index); }},
    {"rindex", false, [](const LoopState& l) { return counted(l.length - l.index); }},
    {"rindex0", false, [](const LoopState& l) { return counted(l.length - l.index - 1); }},
    {"first", false, [](const LoopState& l) { return Value::boolean(l.index == 0); }},
    {"last", false, [](const LoopState& l) { return Value::boolean(l.index + 1 == l.length); }},
    {"length", false, [](const LoopState& l) { return counted(l.length); }},
    {"name", false, [](const LoopState& l) { return Value(l.name); }},
    {"row", true, [](const LoopState& l) { return counted(l.index / l.columns + 1); }},
    {"col", true, [](const LoopState& l) { return counted(l.index % l.columns + 1); }},
    {"col0", true, [](const LoopState& l) { return counted(l.index % l.columns); }},
    {"col_first", true,
     [](const LoopState& l) { return Value::boolean(l.index % l.columns == 0); }},
    {"col_last", true,
     [](const LoopState& l) { return Value::boolean(l.index % l.columns + 1 == l.columns); }},
};

}  // namespace

Value loop_member(const LoopState& loop, std::string_view name) {
  for (const LoopMember& member : kLoopMembers) {
    if (member.name == name && (loop.table || !member.table)) {
      return member.of(loop);
    }
  }
  return {};
}

Value loop_object(const LoopState& loop) {
  Value::Members members;
  for (const LoopMember& member : kLoopMembers) {
    if (loop.table || !member.table) {
      members.emplace_back(member.name, member.of(loop));
    }
  }
  return Value::object(std::move(members));
}

}  // namespace turnout::tmpl
