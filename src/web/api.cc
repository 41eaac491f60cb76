#include "web/api.h"

#include <charconv>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "web/json.h"

namespace turnout::web {
namespace {

Response json(std::string body) { return Response{200, "application/json", std::move(body), {}}; }

Response not_found() {
  return error_response(404, "there is nothing at this address", "",
                        "docs/api.md lists the addresses");
}

Response wrong_method(const char* allowed) {
  Response response = error_response(405, fmt::format("this address answers {} only", allowed));
  response.headers.emplace_back("Allow", allowed);
  return response;
}

Response bad_input(const BadInput& bad) {
  return error_response(422, bad.message, bad.where, bad.remedy);
}

// The rest of the requests: `tail` is what follows /api.
struct Call {
  const Request& request;
  store::Session& session;
  Host& host;
};

base::Result<store::TrackVersion> find_track(const Call& call, const std::string& name) {
  TRY(auto tracks, call.session.tracks());
  for (store::TrackVersion& track : tracks) {
    if (track.name == name) {
      return std::move(track);
    }
  }
  return base::fail(base::ErrorCode::kNotFound, fmt::format("there is no track \"{}\"", name));
}

Response tracks(const Call& call) {
  auto list = call.session.tracks();
  return list ? json(tracks_json(list.value(), call.host.group())) : error_response(list.error());
}

Response publish(const Call& call) {
  PublishRequest request;
  BadInput bad;
  if (!read_publish(call.request.body, request, bad)) {
    return bad_input(bad);
  }
  auto answer = call.host.publish(call.session, request);
  if (!answer) {
    return error_response(answer.error());
  }
  Response response = json(publish_json(answer.value()));
  if (!answer.value().accepted) {
    response.status = 422;
  } else if (answer.value().plan) {
    return response;
  } else if (!answer.value().published.homeless.empty()) {
    response.status = 409;
  } else if (!answer.value().published.unchanged) {
    call.host.tracks_changed();
  }
  return response;
}

Response backtest(const Call& call) {
  BacktestRequest request;
  BadInput bad;
  if (!read_backtest(call.request.body, request, bad)) {
    return bad_input(bad);
  }
  auto answer = call.host.backtest(call.session, request);
  if (!answer) {
    return error_response(answer.error());
  }
  Response response = json(backtest_json(answer.value()));
  response.status = answer.value().accepted ? 200 : 422;
  return response;
}

Response set_active(const Call& call, const std::string& track, bool active) {
  auto done = call.session.set_active(track, active);
  if (!done) {
    return error_response(done.error());
  }
  call.host.tracks_changed();
  return json(active ? "{\"active\":true}" : "{\"active\":false}");
}

Response of_track(const Call& call, const std::string& name) {
  auto track = find_track(call, name);
  return track ? json(track_json(track.value(), call.host.group())) : error_response(track.error());
}

Response report(const Call& call, const std::string& name) {
  auto found = call.session.report(name);
  return found ? json(report_json(found.value())) : error_response(found.error());
}

Response progress(const Call& call, const std::string& name) {
  auto track = find_track(call, name);
  if (!track) {
    return error_response(track.error());
  }
  auto figures = call.session.progress(name);
  return figures ? json(progress_json(figures.value(), track.value(), call.host.group()))
                 : error_response(figures.error());
}

Response why(const Call& call, const std::string& key) {
  auto report = call.session.why(key);
  if (!report) {
    return error_response(report.error());
  }
  std::vector<std::string> rules;
  for (const store::MoveRow& move : report.value().moves) {
    rules.push_back(
        call.host.rule_text(call.session, move.track, move.version, move.from, move.rule));
  }
  return json(why_json(report.value(), rules));
}

Response outbox(const Call& call) {
  std::optional<store::OutboxState> state;
  int limit = 100;
  if (const auto given = call.request.query.find("state"); given != call.request.query.end()) {
    state = outbox_state_of(given->second);
    if (!state) {
      return error_response(
          422, fmt::format("\"{}\" is no state", given->second), "state",
          "states are waiting, sending, sent, failed, uncertain, withdrawn and capped");
    }
  }
  if (const auto given = call.request.query.find("limit"); given != call.request.query.end()) {
    const char* const end = given->second.data() + given->second.size();
    const auto [stopped, error] = std::from_chars(given->second.data(), end, limit);
    if (error != std::errc() || stopped != end || limit < 1 || limit > kMaxOutboxRows) {
      return error_response(422, fmt::format("must be a number from 1 to {}", kMaxOutboxRows),
                            "limit");
    }
  }
  auto rows = call.session.outbox(state, limit);
  return rows ? json(outbox_json(rows.value())) : error_response(rows.error());
}

Response list_fields(const Call& call) {
  auto catalogue = call.session.catalogue();
  return catalogue
             ? json(fields_json(catalogue.value(), call.host.templates(), call.host.webhooks()))
             : error_response(catalogue.error());
}

Response declare_fields(const Call& call) {
  std::vector<track::Field> fields;
  BadInput bad;
  if (!read_fields(call.request.body, fields, bad)) {
    return bad_input(bad);
  }
  auto done = call.session.declare_fields(fields);
  if (!done) {
    return error_response(done.error());
  }
  call.host.tracks_changed();
  return list_fields(call);
}

Response import(const Call& call) {
  auto catalogue = call.session.catalogue();
  if (!catalogue) {
    return error_response(catalogue.error());
  }
  store::ContactBatch batch;
  BadInput bad;
  if (!read_import(call.request.body, catalogue.value(), batch, bad)) {
    return bad_input(bad);
  }
  auto result = call.session.import_contacts(batch);
  if (!result) {
    return error_response(result.error());
  }
  if (result.value().inserted + result.value().updated > 0) {
    call.host.contacts_changed();
  }
  return json(import_json(result.value()));
}

Response record(const Call& call) {
  std::vector<store::NewEvent> events;
  BadInput bad;
  if (!read_events(call.request.body, events, bad)) {
    return bad_input(bad);
  }
  auto result = call.session.record_events(events);
  if (!result) {
    return error_response(result.error());
  }
  if (result.value().recorded > 0) {
    call.host.contacts_changed();
  }
  return json(record_json(result.value()));
}

// One kind of address: "*" stands for any one segment, which the handler is given.
struct Route {
  const char* method;
  std::vector<std::string> path;
  Response (*handle)(const Call& call, const std::string& name);
};

const std::vector<Route>& routes() {
  static const std::vector<Route> all = {
      {"GET", {"api", "tracks"}, [](const Call& c, const std::string&) { return tracks(c); }},
      {"POST", {"api", "tracks"}, [](const Call& c, const std::string&) { return publish(c); }},
      {"GET", {"api", "tracks", "*"}, of_track},
      {"GET", {"api", "tracks", "*", "report"}, report},
      {"GET", {"api", "tracks", "*", "progress"}, progress},
      {"POST",
       {"api", "tracks", "*", "pause"},
       [](const Call& c, const std::string& name) { return set_active(c, name, false); }},
      {"POST",
       {"api", "tracks", "*", "resume"},
       [](const Call& c, const std::string& name) { return set_active(c, name, true); }},
      {"GET", {"api", "contacts", "*", "why"}, why},
      {"GET", {"api", "outbox"}, [](const Call& c, const std::string&) { return outbox(c); }},
      {"GET", {"api", "fields"}, [](const Call& c, const std::string&) { return list_fields(c); }},
      {"POST",
       {"api", "fields"},
       [](const Call& c, const std::string&) { return declare_fields(c); }},
      {"POST", {"api", "backtest"}, [](const Call& c, const std::string&) { return backtest(c); }},
      {"POST", {"api", "import"}, [](const Call& c, const std::string&) { return import(c); }},
      {"POST", {"api", "events"}, [](const Call& c, const std::string&) { return record(c); }},
  };
  return all;
}

bool matches(const Route& route, const Request& request, std::string& name) {
  if (route.path.size() != request.segments.size()) {
    return false;
  }
  for (std::size_t i = 0; i < route.path.size(); ++i) {
    if (route.path[i] == "*") {
      name = request.segments[i];
    } else if (route.path[i] != request.segments[i]) {
      return false;
    }
  }
  return true;
}

bool is_one_of(const Request& request, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (request.segments.size() == 1 && request.segments[0] == name) {
      return true;
    }
  }
  return false;
}

Response readiness(const Host& host) {
  const Readiness readiness = host.readiness();
  if (readiness.ready) {
    return json("{\"ready\":true}");
  }
  return error_response(503, readiness.reason.empty() ? "not ready" : readiness.reason);
}

}  // namespace

Response error_response(const base::Error& error) {
  switch (error.code) {
    case base::ErrorCode::kInvalid:
      return error_response(422, error.message);
    case base::ErrorCode::kNotFound:
      return error_response(404, error.message);
    case base::ErrorCode::kConflict:
      return error_response(409, error.message);
    case base::ErrorCode::kExhausted:
      return error_response(429, error.message);
    case base::ErrorCode::kUnavailable:
      return error_response(503, error.message);
    case base::ErrorCode::kInternal:
      break;
  }
  return error_response(500, error.message);
}

Api::Api(Host& host, std::shared_ptr<prometheus::Registry> registry)
    : host_(host), registry_(std::move(registry)) {}

bool Api::is_quick(const Request& request) const {
  if (is_one_of(request, {"healthz", "readyz", "metrics"}) || request.segments.empty() ||
      request.segments[0] != "api") {
    return true;
  }
  return request.segments.size() == 2 && request.segments[1] == "peers";
}

Response Api::answer_quick(const Request& request) const {
  const bool peers = request.segments.size() == 2 && request.segments[0] == "api" &&
                     request.segments[1] == "peers";
  if (!peers && !is_one_of(request, {"healthz", "readyz", "metrics"})) {
    return not_found();
  }
  if (request.method != "GET") {
    return wrong_method("GET");
  }
  if (peers) {
    return json(peers_json(host_.group()));
  }
  if (request.segments[0] == "readyz") {
    return readiness(host_);
  }
  if (request.segments[0] == "metrics") {
    return Response{
        200,
        "text/plain; version=0.0.4; charset=utf-8",
        registry_ ? prometheus::TextSerializer().Serialize(registry_->Collect()) : std::string(),
        {}};
  }
  return json("{\"status\":\"ok\"}");
}

Response Api::answer(const Request& request, store::Session& session) const {
  std::string allowed;
  for (const Route& route : routes()) {
    std::string name;
    if (!matches(route, request, name)) {
      continue;
    }
    if (request.method == route.method) {
      return route.handle(Call{request, session, host_}, name);
    }
    allowed += allowed.empty() ? route.method : fmt::format(", {}", route.method);
  }
  return allowed.empty() ? not_found() : wrong_method(allowed.c_str());
}

std::string Api::route_of(const Request& request) {
  std::string name;
  for (const Route& route : routes()) {
    if (matches(route, request, name)) {
      return fmt::format("/{}", fmt::join(route.path, "/"));
    }
  }
  if (is_one_of(request, {"healthz", "readyz", "metrics"})) {
    return "/" + request.segments[0];
  }
  return request.segments.size() == 2 && request.segments[0] == "api" &&
                 request.segments[1] == "peers"
             ? "/api/peers"
             : "other";
}

}  // namespace turnout::web
