#include "graph/label.h"

#include "base/overloaded.h"
#include "lang/formatter.h"

namespace turnout::graph {

using lang::format_operand;
using lang::format_string;

std::string action_label(const track::Action& action) {
  return std::visit(
      base::Overloaded{
          [](const track::SendEmail& a) {
            const std::string out = "email " + format_string(a.email.text);
            return a.to ? out + " to " + format_operand(*a.to) : out;
          },
          [](const track::CallWebhook& a) { return "webhook " + format_string(a.webhook.text); },
          [](const track::Show& a) { return "show " + format_string(a.what.text); },
          [](const track::RunSql& a) { return "run on " + format_string(a.database.text); },
          [](const track::TagAction& a) {
            return (a.remove ? "−tag " : "+tag ") + format_string(a.tag.text);
          },
          [](const track::RecordEvent& a) { return "event " + format_string(a.event.text); },
          [&](const auto&) { return lang::format_action(action); },
      },
      action.what);
}

std::string rule_text(const track::Rule& rule) {
  std::string out = lang::format_head(rule.head) + ":";
  for (const track::Action& action : rule.actions) {
    out += "\n  " + lang::format_action(action);
  }
  return rule.move ? out + "\n  " + lang::format_move(*rule.move) : out;
}

}  // namespace turnout::graph
