// What this version of Turnout reads but does not run yet.

#include <optional>
#include <string>
#include <utility>

#include "lang/checker.h"
#include "lang/codes.h"
#include "lang/words.h"

namespace turnout::lang {
namespace {

// Walks a whole track; each construct that is not run yet is named once where it stands.
class Walk {
 public:
  explicit Walk(RunBy by) : by_(by) {}

  std::vector<Diagnostic> take() { return std::move(diagnostics_); }

  void track(const track::Track& track) {
    for (const track::Clause& c : track.clauses) {
      std::visit([this](const auto& node) { clause(node); }, c);
    }
    for (const track::Step* s : track.steps()) {
      step(*s);
    }
    sort_by_place(diagnostics_);
  }

 private:
  // What only servers do not run yet.
  void not_by_servers(const std::string& construct, track::Span span) {
    if (by_ == RunBy::kServers) {
      diagnostics_.push_back(
          diagnose("not-run-yet", span,
                   "`" + construct +
                       "` is part of the language, but servers of this version do not run it yet; "
                       "`turnout try` and `turnout test` do"));
    }
  }

  void field(const track::FieldRef& ref) {
    if (ref.name.starts_with("row.")) {
      not_by_servers("row.…", ref.span);
    }
  }
  // Of what comes of messages only what caps drop is recorded yet.
  void event(const track::Name& name, const std::optional<track::Condition>& where) {
    const bool capped = name.text == "email.capped" || name.text == "message.capped";
    for (const char* const kind : {"email.", "webhook.", "sql.", "message."}) {
      if (name.text.starts_with(kind) && !capped) {
        not_by_servers(std::string("\"") + kind + "…\"", name.span);
      }
    }
    if (where) {
      condition(*where);
    }
  }
  void operand(const track::Operand& operand) {
    if (const auto* ref = std::get_if<track::FieldRef>(&operand.value)) {
      field(*ref);
    }
  }
  void json(const track::Json& json) {
    if (const auto* leaf = std::get_if<track::Operand>(&json.value)) {
      operand(*leaf);
    } else if (const auto* list = std::get_if<track::Json::List>(&json.value)) {
      for (const track::Json& item : list->items) {
        this->json(item);
      }
    } else {
      for (const auto& [key, value] : std::get<track::Json::Object>(json.value).members) {
        this->json(value);
      }
    }
  }

  // --- Conditions
  void condition(const track::Condition& c) {
    std::visit([&](const auto& node) { test(node, c.span); }, c.node);
  }
  void test(const track::And& n, track::Span) {
    for (const track::Condition& c : n.operands) {
      condition(c);
    }
  }
  void test(const track::Or& n, track::Span) {
    for (const track::Condition& c : n.operands) {
      condition(c);
    }
  }
  void test(const track::Not& n, track::Span) { condition(*n.operand); }
  void test(const track::IsMissing& n, track::Span) { operand(n.left); }
  void test(const track::Comparison& n, track::Span) {
    operand(n.left);
    operand(n.right);
  }
  void test(const track::OneOf& n, track::Span) {
    operand(n.left);
    for (const track::Operand& value : n.values) {
      operand(value);
    }
  }
  void test(const track::Between& n, track::Span) {
    operand(n.left);
    operand(n.low);
    operand(n.high);
  }
  void test(const track::BeforeAfter& n, track::Span) {
    operand(n.left);
    operand(n.right);
  }
  void test(const track::Relative& n, track::Span) { operand(n.left); }
  void test(const track::Within& n, track::Span) { operand(n.left); }
  void test(const track::Anniversary& n, track::Span) {
    operand(n.left);
    operand(n.right);
  }
  void test(const track::TextMatch& n, track::Span) {
    operand(n.left);
    operand(n.right);
  }
  void test(const track::RegexMatch& n, track::Span) { operand(n.left); }
  void test(const track::BooleanField& n, track::Span) { field(n.field); }
  void test(const track::HasTag&, track::Span) {}
  void test(const track::DidEvent& n, track::Span) {
    event(n.event, std::nullopt);
    if (n.where) {
      condition(**n.where);
    }
  }
  void test(const track::OnTrack&, track::Span) {}
  void test(const track::InArm&, track::Span) {}

  // --- Clauses
  void clause(const track::About&) {}
  void clause(const track::TimeZone& c) {
    if (c.of) {
      field(*c.of);
    }
  }
  void clause(const track::Gather& c) {
    if (const auto* contacts = std::get_if<track::GatherContacts>(&c.what)) {
      if (contacts->where) {
        condition(*contacts->where);
      }
    } else if (const auto* on = std::get_if<track::GatherOn>(&c.what)) {
      event(on->event, on->where);
    } else {
      not_by_servers("gather from", c.span);
    }
    if (c.for_each && !std::holds_alternative<track::GatherOn>(c.what)) {
      not_by_servers("for each", c.for_each->span);
    }
  }
  void clause(const track::Enter&) {}
  void clause(const track::Leave& c) {
    if (const auto* when = std::get_if<track::Leave::When>(&c.why)) {
      condition(when->condition);
    } else if (const auto* on = std::get_if<track::Leave::On>(&c.why)) {
      event(on->event, on->where);
    }
  }
  void clause(const track::HoldOut&) {}
  void clause(const track::Cap&) {}
  void clause(const track::Quiet&) {}

  // --- Steps
  void step(const track::Step& s) {
    if (s.look_up) {
      not_by_servers("look up", s.look_up->span);
    }
    for (const track::Rule& rule : s.rules) {
      head(rule);
      for (const track::Action& a : rule.actions) {
        std::visit([&](const auto& node) { action(node, a.span); }, a.what);
      }
      if (rule.move) {
        move(*rule.move);
      }
    }
  }
  void head(const track::Rule& rule) {
    if (const auto* when = std::get_if<track::When>(&rule.head)) {
      condition(when->condition);
    } else if (const auto* on = std::get_if<track::OnEvent>(&rule.head)) {
      event(on->event, on->where);
    }
  }
  void action(const track::SendEmail& a, track::Span) {
    if (a.to) {
      operand(*a.to);
    }
  }
  void action(const track::CallWebhook& a, track::Span) {
    if (a.with) {
      json(*a.with);
    }
  }
  void action(const track::Show&, track::Span span) { not_by_servers("show", span); }
  void action(const track::RunSql&, track::Span span) { not_by_servers("run on", span); }
  void action(const track::SetField& a, track::Span) {
    field(a.field);
    operand(a.to);
  }
  void action(const track::ClearField& a, track::Span) { field(a.field); }
  void action(const track::IncreaseField& a, track::Span) {
    field(a.field);
    if (const auto* by = std::get_if<track::Operand>(&a.by)) {
      operand(*by);
    }
  }
  void action(const track::TagAction&, track::Span) {}
  void action(const track::RecordEvent& a, track::Span) {
    if (a.with) {
      json(*a.with);
    }
  }
  void action(const track::PutOnTrack&, track::Span) {}
  void action(const track::TakeOffTrack&, track::Span) {}

  void move(const track::Move& m) {
    const auto* go = std::get_if<track::GoTo>(&m.what);
    if (go != nullptr && go->due) {
      if (const auto* by = std::get_if<track::Due::RelativeToField>(&go->due->when)) {
        field(by->field);
      }
    }
  }

  const RunBy by_;
  std::vector<Diagnostic> diagnostics_;
};

}  // namespace

std::vector<Diagnostic> check_runnable(const track::Track& track, RunBy by) {
  Walk walk(by);
  walk.track(track);
  return walk.take();
}

}  // namespace turnout::lang
