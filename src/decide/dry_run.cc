#include "decide/dry_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "decide/condition.h"
#include "decide/convert.h"
#include "decide/scopes.h"

namespace turnout::decide {
namespace {

using base::Instant;
using base::Result;
using track::PositionState;

constexpr base::TrackId kTrack(1);
constexpr base::ContactId kContact(1);
// Blocks decided at one instant: each takes the contact up to a thousand moves.
constexpr int kMaxAtOnce = 100;

template <class Listed>
std::vector<std::size_t> index_of(const std::vector<Listed>& all, const std::string& name) {
  std::vector<std::size_t> found;  // a dotted name has one for each type that it is read as
  for (std::size_t i = 0; i < all.size(); ++i) {
    if constexpr (std::is_same_v<Listed, track::Field>) {
      if (all[i].name == name) {
        found.push_back(i);
      }
    } else if (all[i] == name) {
      found.push_back(i);
    }
  }
  return found;
}

}  // namespace

DryRun::DryRun(const track::Track& track, Program program, std::vector<GatherClause> gathers,
               track::Catalogue catalogue, track::Numbering numbering, ContactZone zone,
               Instant start)
    : name_(track.name.text),
      program_(std::move(program)),
      gathers_(std::move(gathers)),
      again_(again_after(track)),
      guards_(track, zone.own),
      catalogue_(std::move(catalogue)),
      numbering_(std::move(numbering)),
      zone_(zone.own),
      zone_field_(std::move(zone.field)),
      now_(start) {}

Result<DryRun> DryRun::make(const track::Track& track, const track::Catalogue& catalogue,
                            Instant start) {
  track::Numbering numbering = track::extend({}, track);
  TRY(Program program, Program::compile(track, catalogue, numbering, kTrack, base::Version(1)));
  TRY(std::vector<GatherClause> gathers, compile_gathers(track, catalogue, numbering));
  Columns columns;
  columns.catalogue = &catalogue;
  TRY(const ZoneRule rule, compile_zone(track, columns));
  ContactZone zone{rule.own, std::nullopt};
  if (rule.field) {
    zone.field = columns.fields[*rule.field].name;
  }
  return DryRun(track, std::move(program), std::move(gathers), catalogue, std::move(numbering),
                std::move(zone), start);
}

Result<void> DryRun::set(const std::string& field, const track::Value& value) {
  if (const auto name = scoped_name(field)) {
    if (name->scope != Scope::kEntry && name->scope != Scope::kRow) {
      return base::fail(base::ErrorCode::kInvalid, fmt::format("{} cannot be set", field));
    }
    data_ = with_value(data_, *name, value);
    return wake({.fields = index_of(program_.fields(), field)});
  }
  const track::Field* const declared = catalogue_.find(field);
  if (declared == nullptr) {
    return base::fail(base::ErrorCode::kInvalid, fmt::format("there is no field {}", field));
  }
  const bool missing = std::holds_alternative<track::Missing>(value);
  const track::Value converted = convert(value, declared->type, zone_);
  if (!missing && std::holds_alternative<track::Missing>(converted)) {
    return base::fail(base::ErrorCode::kInvalid,
                      fmt::format("field {} is a {} and cannot hold this", field,
                                  track::type_name(declared->type)));
  }
  if (missing) {
    values_.erase(field);
  } else {
    values_[field] = converted;
  }
  TRYV(wake({.fields = index_of(program_.fields(), field)}));
  return come_again();
}

void DryRun::set_tag(const std::string& tag, bool has) {
  has ? void(tags_.insert(tag)) : void(tags_.erase(tag));
  // A circle shows when the time passes.
  static_cast<void>(wake({.tags = index_of(program_.tags(), tag)}));
  static_cast<void>(come_again());
}

Result<void> DryRun::set_place(const std::string& track, const std::optional<std::string>& step) {
  step ? void(elsewhere_[track] = *step) : void(elsewhere_.erase(track));
  TRYV(wake(places_on(track)));
  return come_again();
}

Facts DryRun::places_on(const std::string& track) const {
  Facts facts;
  for (std::size_t i = 0; i < program_.places().size(); ++i) {
    if (program_.places()[i].track == track) {
      facts.places.push_back(i);
    }
  }
  return facts;
}

std::optional<std::int32_t> DryRun::admits(const track::BlockEvent& event) const {
  track::ContactBlock row = block(program_);
  return program_.admits(row, 0, event);
}

bool DryRun::takes(const std::string& event, const std::string& properties) const {
  return admits({0, now_, event, properties.empty() ? "{}" : properties}).has_value();
}

Result<void> DryRun::send(const std::string& event, const std::string& properties) {
  track::BlockEvent& sent = events_.emplace_back();
  sent.id = static_cast<std::int64_t>(events_.size());
  sent.at = now_;
  sent.name = event;
  sent.properties = properties.empty() ? "{}" : properties;
  if (may_come()) {
    const std::optional<std::int32_t> step = admits(sent);
    return step ? come_in(*step, data_of(sent)) : base::ok();
  }
  if (stopped()) {
    return base::ok();
  }
  look_now();
  return settle();
}

// Due now; a closed one keeps when it opens.
void DryRun::look_now() {
  if (state_ == PositionState::kClosed && due_at_ > now_) {
    stayed_ = track::looked_at(stayed_, due_at_);
  }
  due_at_ = now_;
}

track::Value DryRun::value(const std::string& field) const {
  if (const auto name = scoped_name(field)) {
    return value_in(data_, *name);
  }
  const auto found = values_.find(field);
  return found == values_.end() ? track::Value() : found->second;
}

// An entry that has not stopped, of this track or of one that it was put on.
bool DryRun::stands(const track::OtherPlace& place) const {
  if (place.track == name_) {
    return entered_ && !stopped() && (place.step.empty() || place.step == name_of(step_));
  }
  const auto found = elsewhere_.find(place.track);
  return found != elsewhere_.end() && (place.step.empty() || place.step == found->second);
}

template <class Reader>
track::ContactBlock DryRun::block(const Reader& reader) const {
  track::ContactBlock block;
  block.now = now_;
  block.contact = {kContact};
  block.entry = {std::max(entry_, 1)};
  block.move_no = {move_no_};
  block.step = {step_};
  block.version = {1};
  block.heard = {heard_};
  block.events = {events_};
  block.data = {data_};
  block.state = {state_};
  block.entered_at = {entered_at_};
  block.step_at = {step_at_};
  block.due_at = {due_at_};
  block.stayed = {stayed_};
  for (const track::Field& field : reader.fields()) {
    track::Column& column = block.columns.emplace_back();
    column.type = field.type;
    column.append(convert(value(field.name), field.type, zone_));
  }
  for (const std::string& tag : reader.tags()) {
    block.tags.push_back({static_cast<std::uint8_t>(tags_.contains(tag) ? 1 : 0)});
  }
  for (const track::OtherPlace& place : reader.places()) {
    block.places.push_back({static_cast<std::uint8_t>(stands(place) ? 1 : 0)});
  }
  return block;
}

Result<void> DryRun::enter(bool anyhow) {
  std::int32_t start = anyhow ? program_.first_step() : 0;
  bool first = true;
  for (const GatherClause& clause : gathers_) {
    std::vector<std::uint8_t> kept;
    clause.keep(block(clause), kept);
    if (kept.front() != 0) {
      start = clause.start_step();
      break;
    }
    start = anyhow && first ? clause.start_step() : start;
    first = false;
  }
  if (start == 0) {
    return base::fail(base::ErrorCode::kNotFound, "no `gather contacts` takes this contact");
  }
  return come_in(start, data_);
}

// What events have come before are not heard.
Result<void> DryRun::come_in(std::int32_t step, std::string data) {
  entered_ = true;
  ++entry_;
  move_no_ = 0;
  step_ = step;
  state_ = PositionState::kOpen;
  stayed_ = 0;
  data_ = std::move(data);
  heard_ = static_cast<std::int64_t>(events_.size());
  entered_at_ = step_at_ = due_at_ = now_;
  return settle();
}

bool DryRun::may_come() const {
  return !entered_ || (stopped() && again_ && zone_.add(stopped_at_, *again_, 1) <= now_);
}

// Who has stopped is looked at again by `gather contacts continuously`.
Result<void> DryRun::come_again() {
  if (!entered_ || !may_come()) {
    return base::ok();
  }
  for (const GatherClause& clause : gathers_) {
    std::vector<std::uint8_t> kept;
    clause.keep(block(clause), kept);
    if (kept.front() != 0 && std::holds_alternative<GatherClause::Continuous>(clause.when())) {
      return come_in(clause.start_step(), {});
    }
  }
  return base::ok();
}

// When something happens by itself: a message goes out, the contact is due, or may come again.
Instant DryRun::next_thing() const {
  Instant next = track::kNever;
  for (const DryMessage& message : messages_) {
    if (message.fate == DryMessage::Fate::kWaits) {
      next = std::min(next, message.sent_at);
    }
  }
  if (!entered_) {
    return next;
  }
  if (!stopped()) {
    return std::min(next, due_at_);
  }
  return std::min(next, looked_at_again());
}

// When `gather contacts continuously` looks again at who has stopped: who may come at once only
// when something changes.
Instant DryRun::looked_at_again() const {
  if (!stopped() || !again_ || again_->zero()) {
    return track::kNever;
  }
  const Instant again = zone_.add(stopped_at_, *again_, 1);
  return again > now_ ? again : track::kNever;
}

Result<void> DryRun::pass_to(Instant at) {
  for (Instant next = next_thing(); next <= at; next = next_thing()) {
    const bool again = next == looked_at_again();
    now_ = std::max(now_, next);
    send_waiting();
    TRYV(settle());
    if (again) {
      TRYV(come_again());
    }
  }
  now_ = std::max(now_, at);
  return base::ok();
}

// Decides as often as something is due now.
Result<void> DryRun::settle() {
  for (int times = 0; entered_ && !stopped() && due_at_ <= now_; ++times) {
    if (times == kMaxAtOnce) {
      return base::fail(base::ErrorCode::kExhausted,
                        fmt::format("the contact runs in a circle at step \"{}\" without time "
                                    "passing",
                                    name_of(step_)));
    }
    decide();
    tell_capped();
  }
  return base::ok();
}

Result<void> DryRun::wake(const Facts& changed) {
  if (!entered_ || stopped()) {
    return base::ok();
  }
  note_change(changed);
  return settle();
}

// What reads it is to be tested again.
void DryRun::note_change(const Facts& changed) {
  if (stopped()) {
    return;
  }
  if (state_ == PositionState::kClosed) {
    if (program_.wakes_closed(stayed_, changed)) {
      look_now();
    }
    return;
  }
  for (const StepListens& step : program_.listens()) {
    if (step.step == step_ && step.reads.meets(changed)) {
      stayed_ &= ~program_.woken_rules(step_, changed);
      due_at_ = now_;
    }
  }
}

void DryRun::decide() {
  track::ContactBlock before = block(program_);
  track::BlockOutcome out;
  program_.run(before, out);
  const track::Shape& shape = out.shape_of(0);
  step_at_ = out.step_at[0];
  due_at_ = out.due_at[0];
  stayed_ = out.stayed[0];
  state_ = shape.state;
  heard_ = out.heard[0];
  data_ = out.data.empty() ? data_ : out.data[0];
  for (const track::BlockOutcome::FieldWrite& write : out.writes) {
    using Written = track::BlockOutcome::Written;
    if (write.written[0] != Written::kNot) {
      const std::string& name = program_.fields()[write.field].name;
      track::Value value = write.value.at(0);
      if (write.written[0] == Written::kAdded) {
        value = added(this->value(name), value, 1, zone_);
      }
      std::holds_alternative<track::Missing>(value) ? void(values_.erase(name))
                                                    : void(values_[name] = value);
    }
  }
  for (const track::Shape::Tag& tag : shape.tags) {
    tag.add ? void(tags_.insert(tag.tag)) : void(tags_.erase(tag.tag));
  }
  if (shape.withdraws) {
    withdraw();
  }
  stopped_at_ = stopped() ? now_ : stopped_at_;
  if (shape.moves > 0) {
    const std::size_t first_move = moves_.size();
    note_moves(shape, out.seen[0]);
    step_ = shape.step;
    move_no_ += shape.moves;
    note_messages(shape, out.payload[0], first_move);
  }
}

void DryRun::note_moves(const track::Shape& shape, std::string_view seen) {
  for (std::size_t i = 0; i + 2 < shape.path.size(); i += 2) {
    DryMove move;
    move.at = now_;
    move.from = shape.path[i];
    move.rule = shape.path[i + 1];
    move.to = shape.path[i + 2];
    move.seen = seen;
    if (i + 3 == shape.path.size()) {
      move.state = shape.state;
      move.due_at = due_at_;
    }
    moves_.push_back(move);
  }
}

void DryRun::note_messages(const track::Shape& shape, std::string_view payload,
                           std::size_t first_move) {
  const auto payloads = nlohmann::json::parse(payload, nullptr, false);
  for (std::size_t i = 0; i < shape.acts.size(); ++i) {
    const track::Shape::Act& act = shape.acts[i];
    DryMessage message;
    message.at = now_;
    message.move = first_move + static_cast<std::size_t>(act.move - 1);
    message.kind = act.kind;
    for (const auto& [key, number] : numbering_.actions) {
      if (number == act.name && key.first == act.kind) {
        message.name = key.second;
      }
    }
    if (payloads.is_array() && i < payloads.size() && !payloads[i].is_null()) {
      message.payload = payloads[i].dump();
    }
    if (act.kind == track::ActionKind::kEvent) {
      note_event(message);
    } else if (act.kind == track::ActionKind::kPutOn) {
      const auto asked = nlohmann::json::parse(message.payload, nullptr, false);
      elsewhere_[message.name] = asked.is_object() ? asked.value("at", "") : "";
      note_change(places_on(message.name));
    } else if (act.kind == track::ActionKind::kTakeOff) {
      elsewhere_.erase(message.name);
      note_change(places_on(message.name));
    }
    messages_.push_back(std::move(message));
    hand_over(messages_.size() - 1);
  }
}

// Sends the message, unless it is quiet or there were too many.
void DryRun::hand_over(std::size_t index) {
  DryMessage& message = messages_[index];
  if (Guards::waits(message.kind)) {
    const auto zone_in = [this](const std::string& field) {
      const track::Value held = value(field);
      const auto* const name = std::get_if<std::string>(&held);
      return name != nullptr ? *name : std::string();
    };
    const Zone contact = zone_field_ ? Zone::find(zone_in(*zone_field_)).value_or(zone_) : zone_;
    message.sent_at = guards_.not_quiet_from(now_, contact, zone_in);
    if (message.sent_at > now_) {
      message.fate = DryMessage::Fate::kWaits;
      return;
    }
  }
  message.sent_at = now_;
  std::vector<SentMessage> before;
  before.reserve(sent_.size());
  for (const std::size_t sent : sent_) {
    before.push_back({messages_[sent].sent_at, messages_[sent].kind});
  }
  if (guards_.capped(message.kind, now_, before)) {
    message.fate = DryMessage::Fate::kCapped;
    capped_.push_back(index);
    return;
  }
  message.fate = DryMessage::Fate::kSent;
  sent_.push_back(index);
}

// Those for which the quiet hours are over.
void DryRun::send_waiting() {
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    if (messages_[i].fate == DryMessage::Fate::kWaits && messages_[i].sent_at <= now_) {
      hand_over(i);
    }
  }
  tell_capped();
}

void DryRun::withdraw() {
  for (DryMessage& message : messages_) {
    if (message.fate == DryMessage::Fate::kWaits) {
      message.fate = DryMessage::Fate::kWithdrawn;
    }
  }
}

// As events that the entry hears: `email.capped`.
void DryRun::tell_capped() {
  for (const std::size_t index : std::exchange(capped_, {})) {
    const bool email = messages_[index].kind == track::ActionKind::kEmail;
    track::BlockEvent& event = events_.emplace_back();
    event.id = static_cast<std::int64_t>(events_.size());
    event.at = now_;
    event.name = email ? "email.capped" : "message.capped";
    event.properties = nlohmann::json{{email ? "email" : "message", messages_[index].name}}.dump();
    if (entered_ && !stopped()) {
      look_now();
    }
  }
}

// An entry does not hear what it has recorded itself; `did` finds it.
void DryRun::note_event(const DryMessage& message) {
  track::BlockEvent& event = events_.emplace_back();
  event.id = static_cast<std::int64_t>(events_.size());
  event.at = message.at;
  event.name = message.name;
  event.properties = message.payload.empty() ? "{}" : message.payload;
  heard_ = event.id;
}

}  // namespace turnout::decide
