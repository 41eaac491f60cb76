#include "web/json.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "deliver/key.h"

namespace turnout::web {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::pair<store::OutboxState, const char*> kOutboxStates[] = {
    {store::OutboxState::kWaiting, "waiting"},     {store::OutboxState::kSending, "sending"},
    {store::OutboxState::kSent, "sent"},           {store::OutboxState::kFailed, "failed"},
    {store::OutboxState::kUncertain, "uncertain"}, {store::OutboxState::kWithdrawn, "withdrawn"},
    {store::OutboxState::kCapped, "capped"}};

// Stored text that is not UTF-8 must not make an answer fail.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json instant(base::Instant at) {
  return at == track::kNever ? Json(nullptr) : Json(base::format_instant(at));
}

Json value_json(const track::Value& value) {
  struct Visitor {
    Json operator()(track::Missing) const { return nullptr; }
    Json operator()(bool b) const { return b; }
    Json operator()(double number) const {
      const auto whole = static_cast<std::int64_t>(number);
      constexpr double kExact = 9007199254740992.0;  // 2^53
      const bool is_whole =
          number >= -kExact && number <= kExact && static_cast<double>(whole) == number;
      return is_whole ? Json(whole) : Json(number);
    }
    Json operator()(const std::string& text) const { return text; }
    Json operator()(base::Instant at) const { return instant(at); }
    Json operator()(base::Date date) const { return base::format_date(date); }
  };
  return std::visit(Visitor{}, value);
}

const TrackView* find_view(const GroupView& group, base::TrackId id) {
  const auto found = std::find_if(group.tracks.begin(), group.tracks.end(),
                                  [&](const TrackView& v) { return v.id == id; });
  return found == group.tracks.end() ? nullptr : &*found;
}

Json track_object(const store::TrackVersion& track, const GroupView& group) {
  Json object{{"name", track.name}, {"version", track.version.get()}, {"active", track.active}};
  if (const TrackView* view = find_view(group, track.id)) {
    object["owner"] = view->owner.empty() ? Json(nullptr) : Json(view->owner);
    object["epoch"] = view->epoch;
    if (view->owner == group.self) {
      object["ready"] = view->ready;
      object["out"] = view->out;
    }
  } else {
    object["owner"] = nullptr;
  }
  return object;
}

Json states_json(const std::map<store::OutboxState, std::int64_t>& states) {
  Json object = Json::object();
  for (const auto& [state, count] : states) {
    object[outbox_state_name(state)] = count;
  }
  return object;
}

// What a rule saw: kept as JSON by the store; as text if that should not be.
Json seen_json(const std::string& seen) {
  if (seen.empty()) {
    return Json::object();
  }
  const Json json = Json::parse(seen, nullptr, false);
  return json.is_discarded() ? Json(seen) : json;
}

}  // namespace

const char* outbox_state_name(store::OutboxState state) {
  for (const auto& [which, name] : kOutboxStates) {
    if (which == state) {
      return name;
    }
  }
  return "?";
}

std::optional<store::OutboxState> outbox_state_of(std::string_view name) {
  for (const auto& [which, candidate] : kOutboxStates) {
    if (name == candidate) {
      return which;
    }
  }
  return std::nullopt;
}

const char* position_state_name(track::PositionState state) {
  switch (state) {
    case track::PositionState::kOpen:
      return "open";
    case track::PositionState::kClosed:
      return "closed";
    case track::PositionState::kStopped:
      return "stopped";
  }
  return "?";
}

std::string peers_json(const GroupView& group) {
  Json peers = Json::array();
  for (const PeerView& peer : group.peers) {
    peers.push_back({{"name", peer.name},
                     {"incarnation", peer.incarnation},
                     {"address", peer.address},
                     {"state", peer.state},
                     {"self", peer.self},
                     {"fit", peer.fit},
                     {"master", peer.master},
                     {"heard_ms", peer.heard_ms ? Json(*peer.heard_ms) : Json(nullptr)},
                     {"cycle_ms", peer.cycle_ms ? Json(*peer.cycle_ms) : Json(nullptr)},
                     {"catalogue", peer.catalogue},
                     {"tracks_owned", peer.owned},
                     {"slots", peer.slots},
                     {"backlog", peer.backlog},
                     {"blocks", peer.blocks},
                     {"deliveries", peer.deliveries}});
  }
  const Json master = group.master.empty() ? Json(nullptr) : Json(group.master);
  return dump(Json{{"self", group.self},
                   {"master", master},
                   {"master_epoch", group.master_epoch},
                   {"peers", std::move(peers)}});
}

std::string tracks_json(const std::vector<store::TrackVersion>& tracks, const GroupView& group) {
  Json list = Json::array();
  for (const store::TrackVersion& track : tracks) {
    list.push_back(track_object(track, group));
  }
  return dump(Json{{"tracks", std::move(list)}});
}

std::string track_json(const store::TrackVersion& track, const GroupView& group) {
  Json object = track_object(track, group);
  object["text"] = track.text;
  return dump(object);
}

std::string report_json(const store::Report& report) {
  Json actions = Json::array();
  for (const store::ActionCount& action : report.actions) {
    std::int64_t total = 0;
    for (const auto& [state, count] : action.states) {
      total += count;
    }
    actions.push_back({{"kind", track::action_kind_name(action.kind)},
                       {"name", action.name},
                       {"total", total},
                       {"states", states_json(action.states)}});
  }
  return dump(Json{{"track", report.track},
                   {"version", report.version.get()},
                   {"entered", report.entered},
                   {"waiting", report.waiting},
                   {"stopped", report.stopped},
                   {"moves", report.moves},
                   {"actions", std::move(actions)},
                   {"tags", report.tags}});
}

std::string progress_json(const store::Progress& progress, const store::TrackVersion& track,
                          const GroupView& group) {
  Json object = track_object(track, group);
  object["moves"] = progress.moves;
  object["gathered"] = progress.gathered;
  object["on_step"] = progress.on_step;
  if (const TrackView* view = find_view(group, track.id)) {
    object["ready"] = view->ready;
    object["out"] = view->out;
    object["blocks"] = view->blocks_to;
  }
  return dump(object);
}

namespace {

Json events_json(const std::vector<track::BlockEvent>& events) {
  Json list = Json::array();
  for (const track::BlockEvent& event : events) {
    const Json properties = Json::parse(event.properties, nullptr, false);
    list.push_back({{"number", event.id},
                    {"at", instant(event.at)},
                    {"event", event.name},
                    {"properties", properties.is_object() ? properties : Json::object()}});
  }
  return list;
}

}  // namespace

std::string why_json(const store::ContactReport& report, const std::vector<std::string>& rules) {
  Json fields = Json::object();
  for (const auto& [name, value] : report.fields) {
    fields[name] = value_json(value);
  }
  Json positions = Json::array();
  for (const store::PositionReport& position : report.positions) {
    const bool stopped = position.state == track::PositionState::kStopped;
    positions.push_back({{"track", position.track},
                         {"version", position.version.get()},
                         {"entry", position.entry},
                         {stopped ? "stopped_as" : "step", position.step},
                         {"state", position_state_name(position.state)},
                         {"entered_at", instant(position.entered_at)},
                         {"step_at", instant(position.step_at)},
                         {"due_at", instant(position.due_at)}});
  }
  Json moves = Json::array();
  for (std::size_t i = 0; i < report.moves.size(); ++i) {
    const store::MoveRow& move = report.moves[i];
    moves.push_back({{"track", move.track},
                     {"version", move.version.get()},
                     {"entry", move.entry},
                     {"number", move.move_no},
                     {"at", instant(move.at)},
                     {"peer", move.peer},
                     {"from", move.from},
                     {"rule", move.rule},
                     {"rule_text", i < rules.size() ? rules[i] : std::string()},
                     {"to", move.to},
                     {"seen", seen_json(move.seen)}});
  }
  return dump(Json{{"key", report.key},
                   {"fields", std::move(fields)},
                   {"tags", report.tags},
                   {"positions", std::move(positions)},
                   {"moves", std::move(moves)},
                   {"events", events_json(report.events)}});
}

std::string outbox_json(const std::vector<store::OutboxRow>& rows) {
  Json list = Json::array();
  for (const store::OutboxRow& row : rows) {
    list.push_back({{"id", deliver::key_text(row.key)},
                    {"track", row.track},
                    {"contact", row.contact_key},
                    {"kind", track::action_kind_name(row.kind)},
                    {"name", row.name},
                    {"state", outbox_state_name(row.state)},
                    {"attempt", row.attempt},
                    {"due_at", instant(row.due)},
                    {"answer", row.answer}});
  }
  return dump(Json{{"outbox", std::move(list)}});
}

std::string fields_json(const track::Catalogue& catalogue,
                        const std::vector<std::string>& templates,
                        const std::vector<std::string>& webhooks) {
  Json list = Json::array();
  for (const track::Field& field : catalogue.fields) {
    const bool built_in =
        std::find(std::begin(track::kBuiltInFields), std::end(track::kBuiltInFields), field.name) !=
        std::end(track::kBuiltInFields);
    list.push_back(
        {{"name", field.name}, {"type", track::type_name(field.type)}, {"built_in", built_in}});
  }
  return dump(Json{{"fields", std::move(list)}, {"templates", templates}, {"webhooks", webhooks}});
}

std::string import_json(const store::ImportResult& result) {
  return dump(Json{
      {"inserted", result.inserted}, {"updated", result.updated}, {"unchanged", result.unchanged}});
}

std::string record_json(const store::RecordResult& result) {
  return dump(Json{
      {"recorded", result.recorded}, {"repeated", result.repeated}, {"contacts", result.contacts}});
}

namespace {

Json parsed(const std::string& text, Json otherwise) {
  Json json = Json::parse(text, nullptr, false);
  return json.is_discarded() ? std::move(otherwise) : std::move(json);
}

}  // namespace

std::string publish_json(const PublishAnswer& answer) {
  Json object{{"accepted", answer.accepted && answer.published.homeless.empty()},
              {"track", answer.track}};
  if (answer.accepted) {
    object["version"] = answer.published.version.get();
    object["unchanged"] = answer.published.unchanged;
    Json homeless = Json::object();
    for (const auto& [step, contacts] : answer.published.homeless) {
      homeless[step] = contacts;
    }
    object["homeless"] = std::move(homeless);
    if (answer.plan) {
      object["new"] = answer.published.is_new;
      object["waiting"] = answer.published.waiting;
    }
  }
  object["diagnostics"] = parsed(answer.diagnostics, Json::array());
  return dump(object);
}

std::string backtest_json(const BacktestAnswer& answer) {
  Json object{{"accepted", answer.accepted},
              {"diagnostics", parsed(answer.diagnostics, Json::array())}};
  if (answer.accepted) {
    object["now"] = base::format_instant(answer.now);
    object["last"] = answer.last.get();
    object["done"] = answer.done;
    object["figures"] = parsed(answer.figures, Json::object());
  }
  return dump(object);
}

}  // namespace turnout::web
