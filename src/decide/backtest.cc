#include "decide/backtest.h"

#include <algorithm>
#include <optional>
#include <set>

#include "decide/condition.h"
#include "decide/convert.h"
#include "decide/gather.h"
#include "decide/guards.h"
#include "decide/program.h"
#include "track/numbering.h"

namespace turnout::decide {
namespace {

using base::Instant;
using track::PositionState;

constexpr base::TrackId kDraft(1);
constexpr base::Duration kTogether = std::chrono::minutes(1);
// Passages of one contact within a minute; each takes it up to a thousand moves.
constexpr int kMaxTogether = 100;

// A contact, and where it stands if it has come in.
struct Person {
  base::ContactId contact;
  std::vector<track::Value> values;  // parallel to Impl::fields
  std::set<std::string> tags;
  bool entered = false;
  std::int32_t step = 0;
  PositionState state = PositionState::kOpen;
  std::int32_t move_no = 0;
  Instant entered_at;
  Instant step_at;
  Instant due_at;  // before it comes in: when a `gather` is to be asked again
  std::uint64_t stayed = 0;
  std::string data;
  int together = 0;  // passages since the time passed last

  struct Asked {
    Instant at;  // when it goes out
    track::ActionKind kind;
    std::int32_t name;
  };
  std::vector<Asked> asked;  // that has not gone out
  std::vector<SentMessage> sent;
  bool capped = false;
};

}  // namespace

struct Backtest::Impl {
  Impl(Program made, std::vector<GatherClause> clauses, Guards guarded)
      : program(std::move(made)), gathers(std::move(clauses)), guards(std::move(guarded)) {}

  void play(std::vector<Person>& people);
  void look(Person& person, Instant now);
  void pass(std::vector<Person*>& people, Instant now);
  void take_outcome(Person& person, const track::BlockOutcome& out, std::size_t row, Instant now);
  void note_acts(Person& person, const track::Shape& shape, Instant now);
  void send_until(Person& person, Instant now);
  void count_end(const Person& person);

  template <class Reader>
  track::ContactBlock block(const Reader& reader, const std::vector<Person*>& people,
                            Instant now) const;
  const track::Value& value(const Person& person, const std::string& field) const;
  Zone zone_of(const Person& person) const;

  Program program;
  std::vector<GatherClause> gathers;
  Guards guards;
  track::Numbering numbering;
  std::map<std::int32_t, std::string> action_names;
  Zone zone;
  std::optional<std::string> zone_field;
  Instant start;
  Instant end;
  std::vector<track::Field> fields;
  std::map<std::string, std::size_t> field_index;
  std::vector<std::string> tags;
  BacktestFigures figures;
};

const track::Value& Backtest::Impl::value(const Person& person, const std::string& field) const {
  static const track::Value kMissing;
  const auto found = field_index.find(field);
  return found == field_index.end() ? kMissing : person.values[found->second];
}

Zone Backtest::Impl::zone_of(const Person& person) const {
  const auto* const name =
      zone_field ? std::get_if<std::string>(&value(person, *zone_field)) : nullptr;
  return name == nullptr ? zone : Zone::find(*name).value_or(zone);
}

template <class Reader>
track::ContactBlock Backtest::Impl::block(const Reader& reader, const std::vector<Person*>& people,
                                          Instant now) const {
  track::ContactBlock block;
  block.now = now;
  for (const track::Field& field : reader.fields()) {
    block.columns.emplace_back().type = field.type;
  }
  block.tags.resize(reader.tags().size());
  block.places.resize(reader.places().size());
  for (const Person* const person : people) {
    block.contact.push_back(person->contact);
    block.entry.push_back(1);
    block.move_no.push_back(person->move_no);
    block.step.push_back(person->step);
    block.version.push_back(1);
    block.heard.push_back(0);
    block.state.push_back(person->state);
    block.entered_at.push_back(person->entered_at);
    block.step_at.push_back(person->step_at);
    block.due_at.push_back(person->due_at);
    block.stayed.push_back(person->stayed);
    block.events.emplace_back();
    block.data.push_back(person->data);
    for (std::size_t i = 0; i < block.columns.size(); ++i) {
      const track::Field& field = reader.fields()[i];
      block.columns[i].append(convert(value(*person, field.name), field.type, zone));
    }
    for (std::size_t i = 0; i < block.tags.size(); ++i) {
      block.tags[i].push_back(person->tags.contains(reader.tags()[i]) ? 1 : 0);
    }
    for (std::vector<std::uint8_t>& place : block.places) {
      place.push_back(0);
    }
  }
  return block;
}

// Whether some `gather` takes the contact now; if not, when one is to be asked again.
void Backtest::Impl::look(Person& person, Instant now) {
  Instant again = track::kNever;
  for (const GatherClause& clause : gathers) {
    const std::vector<Person*> one = {&person};
    const track::ContactBlock row = block(clause, one, now);
    std::vector<std::uint8_t> kept;
    clause.keep(row, kept);
    if (kept.front() != 0) {
      person.entered = true;
      person.step = clause.start_step();
      person.entered_at = person.step_at = person.due_at = now;
      ++figures.entered;
      return;
    }
    const Instant change = clause.next_change(row, 0);
    const bool runs = !std::holds_alternative<GatherClause::Continuous>(clause.when());
    if (change != track::kNever) {
      again = std::min(again, runs ? clause.next_run(change, change) : change);
    }
  }
  person.due_at = again;
}

void Backtest::Impl::play(std::vector<Person>& people) {
  std::multimap<Instant, Person*> queue;
  for (Person& person : people) {
    look(person, start);
    queue.emplace(person.due_at, &person);
  }
  while (!queue.empty() && queue.begin()->first <= end) {
    const Instant now = std::min(end, queue.begin()->first + kTogether);
    std::vector<Person*> all;
    std::vector<Person*> due;
    while (!queue.empty() && queue.begin()->first <= now) {
      Person* const person = queue.begin()->second;
      queue.erase(queue.begin());
      all.push_back(person);
      if (!person->entered) {
        look(*person, now);
      }
      if (person->entered) {
        due.push_back(person);
      }
    }
    pass(due, now);
    for (Person* const person : all) {
      person->together = person->due_at <= now ? person->together + 1 : 0;
      if (person->together == kMaxTogether) {
        ++figures.circling;
      } else if (person->state != PositionState::kStopped) {
        queue.emplace(person->due_at, person);
      }
    }
  }
  for (Person& person : people) {
    send_until(person, end);
    count_end(person);
  }
}

void Backtest::Impl::pass(std::vector<Person*>& people, Instant now) {
  if (people.empty()) {
    return;
  }
  for (Person* const person : people) {
    send_until(*person, now);
  }
  track::ContactBlock rows = block(program, people, now);
  track::BlockOutcome out;
  program.run(rows, out);
  for (std::size_t row = 0; row < people.size(); ++row) {
    take_outcome(*people[row], out, row, now);
  }
}

void Backtest::Impl::take_outcome(Person& person, const track::BlockOutcome& out, std::size_t row,
                                  Instant now) {
  const track::Shape& shape = out.shape_of(row);
  person.step_at = out.step_at[row];
  person.due_at = out.due_at[row];
  person.stayed = out.stayed[row];
  person.state = shape.state;
  person.data = out.data.empty() ? person.data : out.data[row];
  for (const track::BlockOutcome::FieldWrite& write : out.writes) {
    using Written = track::BlockOutcome::Written;
    if (write.written[row] == Written::kNot) {
      continue;
    }
    track::Value& held = person.values[field_index.at(program.fields()[write.field].name)];
    const track::Value written = write.value.at(row);
    held = write.written[row] == Written::kAdded ? added(held, written, 1, zone) : written;
  }
  for (const track::Shape::Tag& tag : shape.tags) {
    tag.add ? void(person.tags.insert(tag.tag)) : void(person.tags.erase(tag.tag));
  }
  if (shape.withdraws) {
    person.asked.clear();
  }
  if (shape.moves > 0) {
    figures.moves += shape.moves;
    person.step = shape.step;
    person.move_no += shape.moves;
    note_acts(person, shape, now);
  }
}

void Backtest::Impl::note_acts(Person& person, const track::Shape& shape, Instant now) {
  for (const track::Shape::Act& act : shape.acts) {
    Instant at = now;
    if (Guards::waits(act.kind)) {
      at = guards.not_quiet_from(now, zone_of(person), [&](const std::string& field) {
        const auto* const name = std::get_if<std::string>(&value(person, field));
        return name == nullptr ? std::string() : *name;
      });
    }
    person.asked.push_back({at, act.kind, act.name});
  }
}

// What is to go out up to then.
void Backtest::Impl::send_until(Person& person, Instant now) {
  std::stable_sort(person.asked.begin(), person.asked.end(),
                   [](const Person::Asked& a, const Person::Asked& b) { return a.at < b.at; });
  std::size_t count = 0;
  for (const Person::Asked& asked : person.asked) {
    if (asked.at > now) {
      break;
    }
    ++count;
    const BacktestFigures::Message message(asked.kind, action_names.at(asked.name));
    if (guards.capped(asked.kind, asked.at, person.sent)) {
      ++figures.capped[message];
      figures.capped_contacts += person.capped ? 0 : 1;
      person.capped = true;
      continue;
    }
    person.sent.push_back({asked.at, asked.kind});
    ++figures.sent[message][zone.day_of(asked.at).days - zone.day_of(start).days];
  }
  person.asked.erase(person.asked.begin(),
                     person.asked.begin() + static_cast<std::ptrdiff_t>(count));
}

void Backtest::Impl::count_end(const Person& person) {
  if (person.entered) {
    const bool stopped = person.state == PositionState::kStopped;
    ++(stopped ? figures.stopped : figures.waiting)[numbering.name_of(person.step)];
  }
}

Backtest::Backtest(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Backtest::Backtest(Backtest&&) noexcept = default;
Backtest& Backtest::operator=(Backtest&&) noexcept = default;
Backtest::~Backtest() = default;

base::Result<Backtest> Backtest::make(const track::Track& track, const track::Catalogue& catalogue,
                                      Instant now, const CalendarDuration& length) {
  const track::Numbering numbering = track::extend({}, track);
  TRY(Program program, Program::compile(track, catalogue, numbering, kDraft, base::Version(1)));
  TRY(std::vector<GatherClause> gathers, compile_gathers(track, catalogue, numbering));
  Columns columns;
  columns.catalogue = &catalogue;
  TRY(const ZoneRule zone, compile_zone(track, columns));
  auto impl =
      std::make_unique<Impl>(std::move(program), std::move(gathers), Guards(track, zone.own));
  impl->numbering = numbering;
  for (const auto& [action, number] : numbering.actions) {
    impl->action_names[number] = action.second;
  }
  impl->zone = zone.own;
  impl->start = now;
  impl->end = zone.own.add(now, length, 1);
  const auto read = [&](const track::Field& field) {
    if (!scoped_name(field.name) &&
        impl->field_index.emplace(field.name, impl->fields.size()).second) {
      impl->fields.push_back(field);
    }
  };
  std::ranges::for_each(impl->program.fields(), read);
  std::set<std::string> tags(impl->program.tags().begin(), impl->program.tags().end());
  for (const GatherClause& gather : impl->gathers) {
    std::ranges::for_each(gather.fields(), read);
    tags.insert(gather.tags().begin(), gather.tags().end());
  }
  for (const std::string& name : impl->guards.zone_fields()) {
    if (const track::Field* const field = catalogue.find(name)) {
      read(*field);
    }
  }
  if (zone.field) {
    impl->zone_field = columns.fields[*zone.field].name;
    read(columns.fields[*zone.field]);
  }
  impl->tags.assign(tags.begin(), tags.end());
  return Backtest(std::move(impl));
}

const std::vector<track::Field>& Backtest::fields() const { return impl_->fields; }
const std::vector<std::string>& Backtest::tags() const { return impl_->tags; }
const BacktestFigures& Backtest::figures() const { return impl_->figures; }

void Backtest::add(const track::ContactBlock& contacts) {
  std::vector<Person> people(contacts.rows());
  for (std::size_t row = 0; row < people.size(); ++row) {
    Person& person = people[row];
    person.contact = contacts.contact[row];
    for (const track::Column& column : contacts.columns) {
      person.values.push_back(column.at(row));
    }
    for (std::size_t i = 0; i < impl_->tags.size(); ++i) {
      if (contacts.tags[i][row] != 0) {
        person.tags.insert(impl_->tags[i]);
      }
    }
  }
  impl_->figures.looked_at += static_cast<std::int64_t>(people.size());
  impl_->play(people);
}

}  // namespace turnout::decide
