#pragma once

// The records of the store and of the group as JSON texts, and the other way round for what clients
// send. Times are ISO 8601 in UTC; durations carry their unit in the name.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/types.h"
#include "web/host.h"
#include "web/http.h"

namespace turnout::web {

// "waiting", "sending", "sent", "failed", "uncertain".
const char* outbox_state_name(store::OutboxState state);
std::optional<store::OutboxState> outbox_state_of(std::string_view name);
// "open", "waiting" (closed until due), "stopped".
const char* position_state_name(track::PositionState state);

std::string peers_json(const GroupView& group);
std::string tracks_json(const std::vector<store::TrackVersion>& tracks, const GroupView& group);
std::string track_json(const store::TrackVersion& track, const GroupView& group);
std::string report_json(const store::Report& report);
std::string progress_json(const store::Progress& progress, const store::TrackVersion& track,
                          const GroupView& group);
// `rules` is parallel to report.moves.
std::string why_json(const store::ContactReport& report, const std::vector<std::string>& rules);
std::string outbox_json(const std::vector<store::OutboxRow>& rows);
std::string fields_json(const track::Catalogue& catalogue,
                        const std::vector<std::string>& templates,
                        const std::vector<std::string>& webhooks);
std::string import_json(const store::ImportResult& result);
std::string record_json(const store::RecordResult& result);
std::string publish_json(const PublishAnswer& answer);
std::string backtest_json(const BacktestAnswer& answer);

// What a client sent is wrong: where in it, what, and what to do.
struct BadInput {
  std::string message;
  std::string where;
  std::string remedy;
};

// {"fields": [{"name": "age", "type": "number"}, …]}. True, or `bad` is filled.
bool read_fields(std::string_view body, std::vector<track::Field>& fields, BadInput& bad);
// {"key": [...], "fields": ["age", …], "columns": [[...], …]}, typed by the catalogue.
bool read_import(std::string_view body, const track::Catalogue& catalogue,
                 store::ContactBatch& batch, BadInput& bad);
// {"text": "track …", "file": "a.track", "map": {"Old": "New", "Gone": null}}.
bool read_events(std::string_view body, std::vector<store::NewEvent>& events, BadInput& bad);
bool read_publish(std::string_view body, PublishRequest& request, BadInput& bad);
// {"text": "track …", "file": "a.track", "after": 0, "limit": 1000, "now": "…", "length": "30
// days"}.
bool read_backtest(std::string_view body, BacktestRequest& request, BadInput& bad);
inline constexpr int kMaxBacktest = 20'000;  // contacts at once

}  // namespace turnout::web
