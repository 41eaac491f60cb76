#include "lang/formatter.h"

#include <utility>

#include "lang/format_parts.h"

namespace turnout::lang {
namespace {

using track::TestCase;

std::string with_json(const std::string& before, const std::optional<track::Json>& with,
                      std::string_view indent) {
  if (!with) {
    return before;
  }
  const std::string start = before + " with ";
  return start + format_json(*with, indent, start.size());
}

struct ActionPrinter {
  std::string_view in;

  std::string start(std::string_view words) const { return std::string(in) + std::string(words); }

  std::string operator()(const track::SendEmail& a) const {
    const std::string out = start("send email ") + format_string(a.email.text);
    return a.to ? out + " to " + format_operand(*a.to) : out;
  }
  std::string operator()(const track::CallWebhook& a) const {
    return with_json(start("call webhook ") + format_string(a.webhook.text), a.with, in);
  }
  std::string operator()(const track::Show& a) const {
    return with_json(start("show ") + format_string(a.what.text), a.with, in);
  }
  std::string operator()(const track::RunSql& a) const {
    return start("run on ") + format_string(a.database.text) + " " +
           format_block(a.statement.text, in);
  }
  std::string operator()(const track::SetField& a) const {
    return start("set ") + format_field(a.field.name) + " to " + format_operand(a.to);
  }
  std::string operator()(const track::ClearField& a) const {
    return start("clear ") + format_field(a.field.name);
  }
  std::string operator()(const track::IncreaseField& a) const {
    const auto* duration = std::get_if<track::DurationSpec>(&a.by);
    return start(a.decrease ? "decrease " : "increase ") + format_field(a.field.name) + " by " +
           (duration != nullptr ? format_duration(*duration)
                                : format_operand(std::get<track::Operand>(a.by)));
  }
  std::string operator()(const track::TagAction& a) const {
    return start(a.remove ? "remove tag " : "add tag ") + format_string(a.tag.text);
  }
  std::string operator()(const track::RecordEvent& a) const {
    return with_json(start("record event ") + format_string(a.event.text), a.with, in);
  }
  std::string operator()(const track::PutOnTrack& a) const {
    const std::string out = start("put on track ") + format_string(a.track.text);
    return a.at ? out + " at " + format_string(a.at->text) : out;
  }
  std::string operator()(const track::TakeOffTrack& a) const {
    return start("take off track ") + format_string(a.track.text);
  }
};

struct DuePrinter {
  static std::string clock(const std::optional<track::Clock>& c) {
    return c ? " " + format_clock(*c) : "";
  }
  std::string operator()(const track::Due::AfterDuration& d) const {
    return "after " + format_duration(d.duration) + clock(d.clock);
  }
  std::string operator()(const track::Due::RelativeToField& d) const {
    return format_duration(d.duration) + (d.before ? " before " : " after ") +
           format_field(d.field.name) + clock(d.clock);
  }
  std::string operator()(const track::Clock& d) const { return format_clock(d); }
  std::string operator()(const track::Due::AtDateTime& d) const {
    return "at " + format_date_time(d.at);
  }
};

struct HeadPrinter {
  std::string_view in;
  std::string_view colon;

  std::string plain(std::string_view words) const {
    return std::string(in) + std::string(words) + std::string(colon);
  }
  std::string operator()(const track::When& h) const {
    return format_condition_lines(std::string(in) + "when ", h.condition, colon, in);
  }
  std::string operator()(const track::OnEvent& h) const {
    const std::string on = "on " + format_string(h.event.text);
    return h.where ? format_condition_lines(std::string(in) + on + " where ", *h.where, colon, in)
                   : plain(on);
  }
  std::string operator()(const track::After& h) const {
    return plain("after " + format_duration(h.duration));
  }
  std::string operator()(const track::OnceAt& h) const {
    return plain("once at " + format_date_time(h.at));
  }
  std::string operator()(const track::EveryDays& h) const { return plain(format_every_days(h)); }
  std::string operator()(const track::Share& h) const {
    const std::string as = h.as ? " as " + format_string(h.as->text) : "";
    return plain("for " + format_percent(h.percent) + as);
  }
  std::string operator()(const track::Otherwise&) const { return plain("otherwise"); }
};

struct TestLinePrinter {
  std::string operator()(const TestCase::Given& l) const {
    std::string out;
    for (const auto& [field, value] : l.fields) {
      out += out.empty() ? "given " : ", ";
      out += format_field(field.name) + " is " + format_operand(value);
    }
    return out;
  }
  std::string operator()(const TestCase::GivenTag& l) const {
    return std::string("given ") + (l.no ? "no " : "") + "tag " + format_string(l.tag.text);
  }
  std::string operator()(const TestCase::GivenPlace& l) const {
    const std::string out =
        std::string("given ") + (l.no ? "not " : "") + "on track " + format_string(l.track.text);
    return l.step ? out + " at " + format_string(l.step->text) : out;
  }
  std::string operator()(const TestCase::Event& l) const {
    const std::string start =
        std::string(kStatementIndent) + "event " + format_string(l.event.text);
    return with_json(start, l.with, kStatementIndent).substr(kStatementIndent.size());
  }
  std::string operator()(const TestCase::Pass& l) const {
    return "after " + format_duration(l.duration);
  }
  std::string operator()(const TestCase::ExpectThing& l) const {
    using Kind = TestCase::ExpectThing::Kind;
    const char* kind = l.kind == Kind::kEmail     ? "email "
                       : l.kind == Kind::kWebhook ? "webhook "
                       : l.kind == Kind::kEvent   ? "event "
                                                  : "tag ";
    return std::string("expect ") + (l.no ? "no " : "") + kind + format_string(l.name.text);
  }
  std::string operator()(const TestCase::ExpectOnStep& l) const {
    return "expect on step " + format_string(l.step.text);
  }
  std::string operator()(const TestCase::ExpectStopped& l) const {
    return l.as ? "expect stopped as " + format_string(l.as->text) : "expect stopped";
  }
  std::string operator()(const TestCase::ExpectField& l) const {
    return "expect " + format_field(l.field.name) + " is " + format_operand(l.value);
  }
};

// Writes statements, each with its comments.
class Writer {
 public:
  void statement(std::string_view indent, const track::Comments& comments,
                 const std::string& lines) {
    for (const std::string& comment : comments.before) {
      this->comment(indent, comment);
    }
    out_ += lines;
    if (comments.behind) {
      out_ += comments.behind->empty() ? "  #" : "  # " + *comments.behind;
    }
    out_ += "\n";
  }
  void comment(std::string_view indent, const std::string& text) {
    out_ += std::string(indent) + (text.empty() ? "#" : "# " + text) + "\n";
  }
  void blank() { out_ += "\n"; }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

// Clauses of one group stand together.
int group_of(const track::Clause& clause) {
  if (std::holds_alternative<track::About>(clause) ||
      std::holds_alternative<track::TimeZone>(clause)) {
    return 0;
  }
  return std::holds_alternative<track::Gather>(clause) ? 1 : 2;
}

void write_clauses(Writer& out, const track::Track& track) {
  int before = 0;
  for (const track::Clause& clause : track.clauses) {
    const int group = group_of(clause);
    if (&clause != &track.clauses.front() && (group != before || group == 1)) {
      out.blank();
    }
    before = group;
    std::visit(
        [&](const auto& c) { out.statement(kStatementIndent, c.comments, clause_lines(clause)); },
        clause);
  }
}

void write_step(Writer& out, const track::Step& step) {
  const std::string in(kStatementIndent);
  out.statement("", step.comments, "step " + format_string(step.name.text));
  if (step.about) {
    const bool block = step.about->find('\n') != std::string::npos;
    out.statement(
        in, step.about_comments,
        in + "about " + (block ? format_block(*step.about, in) : format_string(*step.about)));
  }
  if (step.look_up) {
    out.statement(in, step.look_up->comments,
                  in + "look up from " + format_string(step.look_up->database.text) + " query " +
                      format_block(step.look_up->query.text, in));
  }
  if (step.check_every) {
    out.statement(in, step.check_comments,
                  in + "check every " + format_duration(*step.check_every));
  }
  for (const track::Rule& rule : step.rules) {
    out.statement(in, rule.comments, head_lines(rule.head, in));
    for (const track::Action& action : rule.actions) {
      out.statement(kInnerIndent, action.comments, action_lines(action, kInnerIndent));
    }
    if (rule.move) {
      out.statement(kInnerIndent, rule.move->comments,
                    std::string(kInnerIndent) + format_move(*rule.move));
    }
  }
}

void write_test(Writer& out, const TestCase& test) {
  const std::string in(kStatementIndent);
  out.statement("", test.comments, "test " + format_string(test.name.text));
  for (const TestCase::Line& line : test.lines) {
    out.statement(in, line.comments, in + std::visit(TestLinePrinter(), line.what));
  }
}

}  // namespace

std::string head_lines(const track::Head& head, std::string_view indent) {
  return std::visit(HeadPrinter{indent, ":"}, head);
}

std::string action_lines(const track::Action& action, std::string_view indent) {
  return std::visit(ActionPrinter{indent}, action.what);
}

std::string format_head(const track::Head& head) { return std::visit(HeadPrinter{"", ""}, head); }

std::string format_cause(const track::Track& track, std::string_view step, std::int32_t rule) {
  const auto text_of = [](const track::Clause& clause) {
    return clause_lines(clause).substr(kStatementIndent.size());
  };
  if (rule == track::kTakenOffRule) {
    return "taken off by another track";
  }
  std::int32_t leave = track::leave_rule(0);
  for (const track::Clause& one : track.clauses) {
    if (std::holds_alternative<track::Leave>(one) && rule == leave--) {
      return text_of(one);
    }
    if (std::holds_alternative<track::HoldOut>(one) && rule == track::kHeldOutRule) {
      return text_of(one);
    }
  }
  for (const track::Step* const one : track.steps()) {
    if (one->name.text == step && rule >= 0 && static_cast<std::size_t>(rule) < one->rules.size()) {
      return format_head(one->rules[static_cast<std::size_t>(rule)].head);
    }
  }
  return "";
}

std::string format_action(const track::Action& action) { return action_lines(action, ""); }

std::string format_due(const track::Due& due) { return std::visit(DuePrinter(), due.when); }

std::string format_move(const track::Move& move) {
  if (const auto* go = std::get_if<track::GoTo>(&move.what)) {
    return "go to " + format_string(go->step.text) + (go->due ? " " + format_due(*go->due) : "");
  }
  if (const auto* stop = std::get_if<track::Stop>(&move.what)) {
    return stop->as ? "stop as " + format_string(stop->as->text) : "stop";
  }
  const auto& stay = std::get<track::Stay>(move.what);
  return stay.duration ? "stay for " + format_duration(*stay.duration) : "stay";
}

std::string format(const track::Track& track) {
  Writer out;
  out.statement("", track.comments, "track " + format_string(track.name.text));
  write_clauses(out, track);
  for (const auto& part : track.parts) {
    out.blank();
    if (const auto* step = std::get_if<track::Step>(&part)) {
      write_step(out, *step);
    } else {
      write_test(out, std::get<TestCase>(part));
    }
  }
  if (!track.comments_after.empty()) {
    out.blank();
  }
  for (const std::string& comment : track.comments_after) {
    out.comment("", comment);
  }
  return out.take();
}

}  // namespace turnout::lang
