#include "decide/condition.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "base/check.h"
#include "base/hash.h"
#include "base/overloaded.h"

namespace turnout::decide {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using track::Type;

constexpr std::int64_t kMaxRegexMemory = 8 << 20;  // RE2's default; a larger expression is refused

bool comparable(Type a, Type b) { return a == b || (is_time(a) && is_time(b)); }

class Compiler {
 public:
  explicit Compiler(Columns& columns) : columns_(columns) {}

  Result<Node> condition(const track::Condition& condition) {
    return std::visit([this](const auto& form) { return compile(form); }, condition.node);
  }

 private:
  Result<Node> children(Node::Kind kind, const std::vector<track::Condition>& operands) {
    Node node;
    node.kind = kind;
    for (const track::Condition& operand : operands) {
      TRY(Node child, condition(operand));
      node.children.push_back(std::move(child));
    }
    return node;
  }
  Result<Node> compile(const track::And& form) { return children(Node::Kind::kAnd, form.operands); }
  Result<Node> compile(const track::Or& form) { return children(Node::Kind::kOr, form.operands); }
  Result<Node> compile(const track::Not& form) {
    TRY(Node node, condition(*form.operand));
    node.negated = !node.negated;
    return node;
  }

  Result<Node> compile(const track::IsMissing& form) {
    Node node;
    node.kind = Node::Kind::kPresent;
    node.negated = form.present == form.negated;
    TRY(node.a, compile_operand(form.left, columns_));
    return node;
  }

  // A dotted name takes the type of the other side.
  Result<void> operands(const track::Operand& left, const track::Operand& right, Node& node) {
    TRY(node.a, compile_operand(left, columns_));
    TRY(node.b, compile_operand(right, columns_));
    if (node.a.kind == Term::Kind::kScoped && node.b.kind != Term::Kind::kScoped) {
      TRY(node.a, compile_operand(left, columns_, node.b.type));
    } else if (node.b.kind == Term::Kind::kScoped && node.a.kind != Term::Kind::kScoped) {
      TRY(node.b, compile_operand(right, columns_, node.a.type));
    }
    return base::ok();
  }

  Result<Node> compare(const track::Operand& left, track::Compare op, const track::Operand& right) {
    Node node;
    node.kind = Node::Kind::kCompare;
    node.negated = op == track::Compare::kIsNot;
    node.op = node.negated ? track::Compare::kIs : op;
    TRYV(operands(left, right, node));
    if (!comparable(node.a.type, node.b.type)) {
      return invalid(left.span,
                     fmt::format("{} cannot be compared with {}", track::type_name(node.a.type),
                                 track::type_name(node.b.type)));
    }
    if (node.a.type == Type::kBoolean && node.op != track::Compare::kIs) {
      return invalid(left.span, "a boolean is neither more nor less than another");
    }
    return node;
  }
  Result<Node> compile(const track::Comparison& form) {
    TRY(Node node, compare(form.left, form.op, form.right));
    node.negated = node.negated != form.negated;
    return node;
  }

  Result<Node> compile(const track::OneOf& form) {
    Node any;
    any.kind = Node::Kind::kOr;
    any.comparison = true;
    for (const track::Operand& value : form.values) {
      TRY(Node child, compare(form.left, track::Compare::kIs, value));
      any.children.push_back(std::move(child));
    }
    if (any.children.empty()) {
      return invalid(form.left.span, "`one of` needs at least one value");
    }
    Node node = gathered(any) ? list(std::move(any)) : std::move(any);
    node.negated = form.negated;
    return node;
  }
  // A field against text or number constants only: looked up in a sorted list.
  static bool gathered(const Node& any) {
    return any.children.front().a.kind == Term::Kind::kField &&
           std::all_of(any.children.begin(), any.children.end(), [&](const Node& child) {
             return child.a.field == any.children.front().a.field &&
                    child.b.kind == Term::Kind::kConstant &&
                    (child.a.type == Type::kText || child.a.type == Type::kNumber);
           });
  }
  static Node list(Node any) {
    Node node;
    node.kind = Node::Kind::kOneOf;
    node.a = any.children.front().a;
    for (Node& child : any.children) {
      if (node.a.type == Type::kText) {
        node.texts.push_back(std::get<std::string>(std::move(child.b.constant)));
      } else {
        node.numbers.push_back(std::get<double>(child.b.constant));
      }
    }
    std::sort(node.texts.begin(), node.texts.end());
    std::sort(node.numbers.begin(), node.numbers.end());
    return node;
  }

  Result<Node> compile(const track::Between& form) {
    Node node;
    node.kind = Node::Kind::kAnd;
    node.comparison = true;
    node.negated = form.negated;
    TRY(Node low, compare(form.left, track::Compare::kAtLeast, form.low));
    TRY(Node high, compare(form.left, track::Compare::kAtMost, form.high));
    node.children.push_back(std::move(low));
    node.children.push_back(std::move(high));
    return node;
  }

  Result<Node> compile(const track::BeforeAfter& form) {
    TRY(Node node,
        compare(form.left, form.after ? track::Compare::kMore : track::Compare::kLess, form.right));
    if (!is_time(node.a.type)) {
      return invalid(form.left.span, "only times are before or after another");
    }
    node.negated = form.negated;
    return node;
  }

  Result<Node> time_span(Node::Kind kind, const track::Operand& left,
                         const track::DurationSpec& duration) {
    Node node;
    node.kind = kind;
    node.duration = to_calendar(duration);
    TRY(node.a, compile_operand(left, columns_, Type::kTimestamp));
    if (!is_time(node.a.type)) {
      return invalid(left.span,
                     fmt::format("{} has no distance from now", track::type_name(node.a.type)));
    }
    return node;
  }
  Result<Node> compile(const track::Relative& form) {
    TRY(Node node, time_span(Node::Kind::kRelative, form.left, form.duration));
    node.negated = form.negated;
    node.more = form.more;
    node.future = form.from_now;
    return node;
  }
  Result<Node> compile(const track::Within& form) {
    TRY(Node node, time_span(Node::Kind::kWithin, form.left, form.duration));
    node.negated = form.negated;
    node.future = form.next;
    return node;
  }

  Result<Node> compile(const track::Anniversary& form) {
    Node node;
    node.kind = Node::Kind::kAnniversary;
    node.negated = form.negated;
    TRY(node.a, compile_operand(form.left, columns_, Type::kDate));
    TRY(node.b, compile_operand(form.right, columns_, Type::kDate));
    if (!is_time(node.a.type) || !is_time(node.b.type)) {
      return invalid(form.left.span, "only times have anniversaries");
    }
    if (node.b.moves()) {
      return invalid(form.right.span,
                     "write the time that moves on the left of `the anniversary of`");
    }
    return node;
  }

  Result<Node> text(const track::Operand& left) {
    Node node;
    TRY(node.a, compile_operand(left, columns_, Type::kText));
    if (node.a.type != Type::kText) {
      return invalid(left.span, fmt::format("{} is not text", track::type_name(node.a.type)));
    }
    return node;
  }
  Result<Node> compile(const track::TextMatch& form) {
    TRY(Node node, text(form.left));
    node.kind = Node::Kind::kText;
    node.negated = form.negated;
    node.text_test = form.test;
    TRY(node.b, compile_operand(form.right, columns_, Type::kText));
    if (node.b.type != Type::kText) {
      return invalid(form.right.span, fmt::format("{} is not text", track::type_name(node.b.type)));
    }
    return node;
  }
  Result<Node> compile(const track::RegexMatch& form) {
    TRY(Node node, text(form.left));
    node.kind = Node::Kind::kRegex;
    node.negated = form.negated;
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kMaxRegexMemory);
    auto regex = std::make_shared<const re2::RE2>(form.pattern.text, options);
    if (!regex->ok()) {
      return invalid(form.pattern.span, fmt::format("\"{}\" is not a regular expression: {}",
                                                    form.pattern.text, regex->error()));
    }
    node.regex = std::move(regex);
    return node;
  }

  Result<Node> compile(const track::BooleanField& form) {
    Node node;
    node.kind = Node::Kind::kTrue;
    TRY(node.a, compile_operand({form.field, form.field.span}, columns_, Type::kBoolean));
    if (node.a.type != Type::kBoolean) {
      return invalid(form.field.span, fmt::format("field {} is not a boolean but a {}",
                                                  form.field.name, track::type_name(node.a.type)));
    }
    return node;
  }
  Result<Node> compile(const track::HasTag& form) {
    Node node;
    node.kind = Node::Kind::kTag;
    node.tag = columns_.tag(form.tag.text);
    return node;
  }

  Result<Node> compile(const track::DidEvent& form) {
    Node node;
    node.kind = Node::Kind::kDid;
    node.negated = form.negated;
    node.event = form.event.text;
    node.times = form.at_least.value_or(1);
    node.span = form.span;
    columns_.events.insert(node.event);
    columns_.recalled.insert(node.event);
    columns_.scopes = true;
    if (form.within) {
      node.duration = to_calendar(*form.within);
    }
    if (form.where) {
      TRY(Node where, condition(**form.where));
      node.children.push_back(std::move(where));
    }
    return node;
  }
  Result<Node> compile(const track::OnTrack& form) {
    Node node;
    node.kind = Node::Kind::kPlace;
    node.place = columns_.place({form.track.text, form.step ? form.step->text : ""});
    return node;
  }
  Result<Node> compile(const track::InArm& form) {
    Node node;
    node.kind = Node::Kind::kOr;
    const auto [first, last] = columns_.arms.equal_range(form.arm.text);
    for (auto arm = first; arm != last; ++arm) {
      node.children.push_back(in_arm(arm->second));
    }
    return node.children.empty() ? in_arm({}) : node;
  }
  Node in_arm(const Arm& arm) const {
    Node node;
    node.kind = Node::Kind::kArm;
    node.arm = arm;
    node.track = columns_.track;
    return node;
  }

  Columns& columns_;
};

}  // namespace

double draw(base::TrackId track, base::ContactId contact, std::int32_t entry, std::int32_t step) {
  const auto unsign = [](std::int32_t number) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(number));
  };
  const std::uint64_t of_contact = base::mix64(static_cast<std::uint64_t>(track.get())) ^
                                   static_cast<std::uint64_t>(contact.get());
  const std::uint64_t hash =
      base::mix64(base::mix64(of_contact) ^ (unsign(entry) << 32 | unsign(step)));
  // As many bits as a double holds, so that it never rounds up to the end of the range.
  return static_cast<double>(hash >> 11) * 0x1p-53 * 10'000;
}

base::Error invalid(track::Span span, const std::string& what) {
  return {ErrorCode::kInvalid, span.line == 0 ? what : fmt::format("line {}: {}", span.line, what)};
}

Result<std::size_t> Columns::field(const std::string& name) {
  const auto known = std::find_if(fields.begin(), fields.end(),
                                  [&](const track::Field& field) { return field.name == name; });
  if (known != fields.end()) {
    return static_cast<std::size_t>(known - fields.begin());
  }
  const track::Field* const declared = catalogue->find(name);
  if (declared == nullptr) {
    return fail(ErrorCode::kInvalid, fmt::format("there is no field {}", name));
  }
  if (declared->type == Type::kUntyped) {
    return fail(ErrorCode::kInvalid, fmt::format("field {} has no type", name));
  }
  fields.push_back(*declared);
  return fields.size() - 1;
}

std::optional<ScopedName> scoped_name(const std::string& field) {
  constexpr std::pair<std::string_view, Scope> kScopes[] = {{"entry.", Scope::kEntry},
                                                            {"event.", Scope::kEvent},
                                                            {"row.", Scope::kRow},
                                                            {"visit.", Scope::kVisit}};
  for (const auto& [prefix, scope] : kScopes) {
    if (field.starts_with(prefix)) {
      return ScopedName{scope, field.substr(prefix.size())};
    }
  }
  return std::nullopt;
}

std::size_t Columns::scoped_field(const ScopedName& name, Type type) {
  for (const ScopedColumn& column : scoped) {
    if (column.name == name && fields[column.field].type == type) {
      return column.field;
    }
  }
  constexpr const char* kNames[] = {"entry.", "event.", "row.", "visit."};
  scopes = true;
  fields.push_back({kNames[static_cast<std::size_t>(name.scope)] + name.name, type, ""});
  scoped.push_back({fields.size() - 1, name});
  return fields.size() - 1;
}

namespace {

// The index of `what`, added when it is new.
template <class Listed>
std::size_t index_in(std::vector<Listed>& all, const Listed& what) {
  const auto known = std::find(all.begin(), all.end(), what);
  if (known != all.end()) {
    return static_cast<std::size_t>(known - all.begin());
  }
  all.push_back(what);
  return all.size() - 1;
}

}  // namespace

std::size_t Columns::tag(const std::string& name) { return index_in(tags, name); }
std::size_t Columns::place(const track::OtherPlace& place) { return index_in(places, place); }

namespace {

// visit.* have types; the others take the one that is wanted.
Result<Term> scoped_term(const ScopedName& name, const track::FieldRef& ref, Columns& columns,
                         Type wanted) {
  if (name.scope == Scope::kVisit) {
    constexpr std::pair<const char*, Type> kVisit[] = {{"step", Type::kText},
                                                       {"entered_at", Type::kTimestamp},
                                                       {"step_entered_at", Type::kTimestamp},
                                                       {"times", Type::kNumber}};
    const auto* const known = std::ranges::find(
        kVisit, name.name, [](const auto& one) { return std::string_view(one.first); });
    if (known == std::end(kVisit)) {
      return invalid(ref.span, fmt::format("there is no {}", ref.name));
    }
    wanted = known->second;
  }
  Term term;
  term.type = wanted;
  columns.scopes = true;
  if (wanted == Type::kUntyped) {
    term.kind = Term::Kind::kScoped;
    term.scoped = name;
  } else {
    term.kind = Term::Kind::kField;
    term.field = columns.scoped_field(name, wanted);
  }
  return term;
}

}  // namespace

Result<Term> compile_operand(const track::Operand& operand, Columns& columns, Type wanted) {
  if (const auto* const ref = std::get_if<track::FieldRef>(&operand.value)) {
    if (const auto name = scoped_name(ref->name)) {
      return scoped_term(*name, *ref, columns, wanted);
    }
  }
  Term term;
  const auto constant = [&term](Type type, track::Value value) -> Result<void> {
    term.type = type;
    term.constant = std::move(value);
    return base::ok();
  };
  const auto special = [&term](Term::Kind kind, Type type) -> Result<void> {
    term.kind = kind;
    term.type = type;
    return base::ok();
  };
  const Result<void> done = std::visit(
      base::Overloaded{
          [&](const std::string& text) { return constant(Type::kText, text); },
          [&](double number) { return constant(Type::kNumber, number); },
          [&](bool boolean) { return constant(Type::kBoolean, boolean); },
          [&](base::Date date) { return constant(Type::kDate, date); },
          [&](track::Now) { return special(Term::Kind::kNow, Type::kTimestamp); },
          [&](track::Today) { return special(Term::Kind::kToday, Type::kDate); },
          [&](const track::DateTime& at) -> Result<void> {
            if (at.zone) {
              const std::optional<Zone> zone = Zone::find(*at.zone);
              if (!zone) {
                return invalid(at.span, fmt::format("\"{}\" is not a time zone", *at.zone));
              }
              return constant(Type::kTimestamp, zone->instant(at.date, at.time.seconds));
            }
            if (!columns.zone.field) {
              return constant(Type::kTimestamp, columns.zone.own.instant(at.date, at.time.seconds));
            }
            term.date = at.date;
            term.second_of_day = at.time.seconds;
            return special(Term::Kind::kLocalTime, Type::kTimestamp);
          },
          [&](const track::FieldRef& ref) -> Result<void> {
            auto field = columns.field(ref.name);
            if (!field) {
              return invalid(ref.span, field.error().message);
            }
            term.field = field.value();
            return special(Term::Kind::kField, columns.fields[term.field].type);
          },
      },
      operand.value);
  TRYV(done);
  return term;
}

Result<Node> compile_condition(const track::Condition& condition, Columns& columns) {
  return Compiler(columns).condition(condition);
}

Result<ZoneRule> compile_zone(const track::Track& track, Columns& columns) {
  ZoneRule rule;
  for (const track::Clause& clause : track.clauses) {
    const auto* const zone = std::get_if<track::TimeZone>(&clause);
    if (zone == nullptr) {
      continue;
    }
    const std::optional<Zone> own = Zone::find(zone->zone.text);
    if (!own) {
      return invalid(zone->zone.span, fmt::format("\"{}\" is not a time zone", zone->zone.text));
    }
    rule.own = *own;
    if (zone->of) {
      TRY(const Term term, compile_operand({*zone->of, zone->of->span}, columns));
      if (term.type != Type::kText) {
        return invalid(zone->of->span,
                       fmt::format("field {} must be text to name a time zone", zone->of->name));
      }
      rule.field = term.field;
    }
  }
  return rule;
}

bool depends_on_zone(const Node& node) {
  const bool local = node.a.kind == Term::Kind::kLocalTime || node.b.kind == Term::Kind::kLocalTime;
  switch (node.kind) {
    case Node::Kind::kAnd:
    case Node::Kind::kOr:
      return std::any_of(node.children.begin(), node.children.end(), depends_on_zone);
    case Node::Kind::kCompare:
      return local || node.a.type != node.b.type || node.a.kind == Term::Kind::kToday ||
             node.b.kind == Term::Kind::kToday;
    case Node::Kind::kDid:
      return node.duration.calendar() ||
             std::any_of(node.children.begin(), node.children.end(), depends_on_zone);
    case Node::Kind::kRelative:
    case Node::Kind::kWithin:
      return local || node.a.type == Type::kDate || node.duration.calendar();
    case Node::Kind::kAnniversary:
      return true;
    default:
      return false;
  }
}

void collect_reads(const Node& node, const ZoneRule& zone, Reads& reads) {
  if (node.kind == Node::Kind::kTag) {
    reads.tags.insert(node.tag);
    return;
  }
  if (node.kind == Node::Kind::kPlace) {
    reads.places.insert(node.place);
    return;
  }
  for (const Node& child : node.children) {
    collect_reads(child, zone, reads);
  }
  if (node.kind == Node::Kind::kDid) {
    reads.events.insert(node.event);
    reads.time = reads.time || node.span == track::DidEvent::Span::kWithinLast;
    if (zone.field && depends_on_zone(node)) {
      reads.fields.insert(*zone.field);
    }
    return;
  }
  if (!node.children.empty()) {
    return;
  }
  if (node.kind == Node::Kind::kArm) {
    return;
  }
  if (node.a.kind == Term::Kind::kField) {
    reads.fields.insert(node.a.field);
  }
  const bool two = node.kind == Node::Kind::kCompare || node.kind == Node::Kind::kAnniversary ||
                   node.kind == Node::Kind::kText;
  if (two && node.b.kind == Term::Kind::kField) {
    reads.fields.insert(node.b.field);
  }
  if (zone.field && depends_on_zone(node)) {
    reads.fields.insert(*zone.field);
  }
  reads.time = reads.time || node.kind == Node::Kind::kRelative ||
               node.kind == Node::Kind::kWithin || node.a.moves() || (two && node.b.moves());
}

}  // namespace turnout::decide
