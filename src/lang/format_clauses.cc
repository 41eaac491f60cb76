// Clauses as text.

#include <string>

#include "lang/format_parts.h"
#include "lang/formatter.h"

namespace turnout::lang {
namespace {

struct SchedulePrinter {
  std::string operator()(const track::OnceAt& s) const {
    return "once at " + format_date_time(s.at);
  }
  std::string operator()(const track::EveryDuration& s) const {
    const std::string out = "every " + format_duration(s.every);
    return s.from ? out + " from " + format_date_time(*s.from) : out;
  }
  std::string operator()(const track::EveryDays& s) const { return format_every_days(s); }
  std::string operator()(const track::EveryMonth& s) const {
    return "every month on day " + format_number(s.day) + " at " + format_time(s.at);
  }
  std::string operator()(const track::Rrule& s) const {
    return "rrule " + format_string(s.rule.text);
  }
  std::string operator()(const track::Continuously&) const { return "continuously"; }
};

struct ClausePrinter {
  static constexpr std::string_view kIn = kStatementIndent;

  static std::string with_where(const std::string& before,
                                const std::optional<track::Condition>& where,
                                std::string_view behind) {
    const std::string start = std::string(kIn) + before;
    return where ? format_condition_lines(start + " where ", *where, behind, kIn)
                 : start + std::string(behind);
  }

  std::string operator()(const track::About& c) const {
    const bool block = c.text.find('\n') != std::string::npos;
    return std::string(kIn) + "about " +
           (block ? format_block(c.text, kIn) : format_string(c.text));
  }
  std::string operator()(const track::TimeZone& c) const {
    const std::string of = c.of ? "of " + format_field(c.of->name) + " or " : "";
    return std::string(kIn) + "time zone " + of + format_string(c.zone.text);
  }
  std::string operator()(const track::Gather& c) const {
    const std::string next = "\n" + std::string(kInnerIndent);
    std::string out;
    if (const auto* contacts = std::get_if<track::GatherContacts>(&c.what)) {
      const bool short_form =
          !contacts->where && std::holds_alternative<track::Continuously>(contacts->schedule);
      out = with_where("gather contacts", contacts->where, "") + (short_form ? " " : next) +
            format_schedule(contacts->schedule);
    } else if (const auto* from = std::get_if<track::GatherFrom>(&c.what)) {
      out = std::string(kIn) + "gather from " + format_string(from->database.text) + " query " +
            format_block(from->query.text, kIn) + next + format_schedule(from->schedule);
    } else {
      const auto& on = std::get<track::GatherOn>(c.what);
      out = with_where("gather on " + format_string(on.event.text), on.where, "");
    }
    out += c.for_each ? next + "for each " + format_field(c.for_each->name) : "";
    return out + (c.start_at ? next + "start at " + format_string(c.start_at->text) : "");
  }
  std::string operator()(const track::Enter& c) const {
    const std::string out = std::string(kIn) + "enter ";
    switch (c.kind) {
      case track::Enter::Kind::kOnce:
        return out + "once";
      case track::Enter::Kind::kAgainAfter:
        return out + "again after " + (c.after ? format_duration(*c.after) : "");
      case track::Enter::Kind::kEveryTime:
        break;
    }
    return out + "every time";
  }
  std::string operator()(const track::Leave& c) const {
    const std::string as = c.as ? " as " + format_string(c.as->text) : "";
    if (const auto* when = std::get_if<track::Leave::When>(&c.why)) {
      return format_condition_lines(std::string(kIn) + "leave when ", when->condition, as, kIn);
    }
    if (const auto* on = std::get_if<track::Leave::On>(&c.why)) {
      return with_where("leave on " + format_string(on->event.text), on->where, as);
    }
    return std::string(kIn) + "leave when no longer gathered" + as;
  }
  std::string operator()(const track::HoldOut& c) const {
    const std::string out = std::string(kIn) + "hold out " + format_percent(c.percent) + " as " +
                            format_string(c.as.text);
    return c.duration ? out + " for " + format_duration(*c.duration) : out;
  }
  std::string operator()(const track::Cap& c) const {
    return std::string(kIn) + "send at most " + format_number(c.count) +
           (c.messages ? " messages per " : " emails per ") + format_duration(c.per);
  }
  std::string operator()(const track::Quiet& c) const {
    std::string out = std::string(kIn) + "quiet";
    if (c.hours) {
      out += " from " + format_time(c.hours->first) + " to " + format_time(c.hours->second);
    }
    out += c.days ? " on " + format_days(*c.days) : "";
    return c.zone_field ? out + " in " + format_field(c.zone_field->name) : out;
  }
};

}  // namespace

std::string clause_lines(const track::Clause& clause) {
  return std::visit(ClausePrinter(), clause);
}

std::string format_clause(const track::Clause& clause) {
  return clause_lines(clause).substr(kStatementIndent.size());
}

std::string format_schedule(const track::Schedule& schedule) {
  return std::visit(SchedulePrinter(), schedule);
}

}  // namespace turnout::lang
