#include "cli/peer_host.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "decide/backtest.h"
#include "decide/gather.h"
#include "decide/program.h"
#include "lang/checker.h"
#include "lang/formatter.h"
#include "lang/parser.h"
#include "track/leaves.h"

namespace turnout::cli {
namespace {

lang::Diagnostic cannot_compile(const track::Track& track, const base::Error& error) {
  return {lang::Severity::kError, "cannot-compile", error.message, track.name.span, ""};
}

// What compiling finds that the checker cannot see (regular expressions, time zones), as a
// diagnostic of the whole file.
void compile_for_diagnostics(const track::Track& track, const track::Catalogue& catalogue,
                             std::vector<lang::Diagnostic>& diagnostics) {
  const track::Numbering numbering = track::extend({}, track);
  const auto program =
      decide::Program::compile(track, catalogue, numbering, base::TrackId(1), base::Version(1));
  if (!program) {
    diagnostics.push_back(cannot_compile(track, program.error()));
    return;
  }
  if (const auto gathers = decide::compile_gathers(track, catalogue, numbering); !gathers) {
    diagnostics.push_back(cannot_compile(track, gathers.error()));
  }
}

std::string figures_json(const decide::BacktestFigures& figures) {
  using Json = nlohmann::ordered_json;
  Json messages = Json::array();
  const auto entry = [&](const decide::BacktestFigures::Message& message) -> Json& {
    for (Json& known : messages) {
      if (known["kind"] == track::action_kind_name(message.first) &&
          known["name"] == message.second) {
        return known;
      }
    }
    messages.push_back({{"kind", track::action_kind_name(message.first)},
                        {"name", message.second},
                        {"days", Json::object()},
                        {"capped", 0}});
    return messages.back();
  };
  for (const auto& [message, days] : figures.sent) {
    for (const auto& [day, count] : days) {
      entry(message)["days"][std::to_string(day)] = count;
    }
  }
  for (const auto& [message, count] : figures.capped) {
    entry(message)["capped"] = count;
  }
  return Json{{"looked_at", figures.looked_at},
              {"entered", figures.entered},
              {"moves", figures.moves},
              {"stopped", figures.stopped},
              {"waiting", figures.waiting},
              {"messages", std::move(messages)},
              {"capped_contacts", figures.capped_contacts},
              {"circling", figures.circling}}
      .dump();
}

}  // namespace

base::Result<lang::Analysis> PeerHost::analyse(store::Session& session, const std::string& text,
                                               lang::RunBy by, track::Catalogue& catalogue) const {
  TRY(catalogue, session.catalogue());
  if (by == lang::RunBy::kServers) {  // what a draft sends may be written later
    catalogue.templates = templates_;
    catalogue.webhooks = webhooks_;
  }
  lang::Analysis analysis = lang::analyse(text, catalogue);
  if (analysis.ok()) {
    for (lang::Diagnostic& diagnostic : lang::check_runnable(analysis.track, by)) {
      analysis.diagnostics.push_back(std::move(diagnostic));
    }
  }
  if (analysis.ok()) {
    compile_for_diagnostics(analysis.track, catalogue, analysis.diagnostics);
  }
  lang::sort_by_place(analysis.diagnostics);
  return analysis;
}

base::Result<web::PublishAnswer> PeerHost::publish(store::Session& session,
                                                   const web::PublishRequest& request) {
  track::Catalogue catalogue;
  TRY(lang::Analysis analysis, analyse(session, request.text, lang::RunBy::kServers, catalogue));
  web::PublishAnswer answer;
  answer.diagnostics = lang::to_json(analysis.diagnostics, request.file);
  answer.track = analysis.track.name.text;
  if (!analysis.ok()) {
    return answer;
  }
  store::Publish publish;
  publish.track = std::move(analysis.track);
  publish.text = request.text;
  publish.map = request.map;
  publish.reschedule = request.reschedule;
  answer.plan = request.plan;
  TRY(answer.published, request.plan ? session.plan(publish) : session.publish(publish));
  answer.accepted = true;
  return answer;
}

base::Result<web::BacktestAnswer> PeerHost::backtest(store::Session& session,
                                                     const web::BacktestRequest& request) {
  track::Catalogue catalogue;
  TRY(const lang::Analysis analysis,
      analyse(session, request.text, lang::RunBy::kDryRun, catalogue));
  web::BacktestAnswer answer;
  answer.diagnostics = lang::to_json(analysis.diagnostics, request.file);
  if (!analysis.ok()) {
    return answer;
  }
  TRY(answer.now, request.now.empty() ? session.now() : base::parse_instant(request.now));
  track::DurationSpec length;
  if (const std::string problem = track::read_duration(request.length, length); !problem.empty()) {
    return base::fail(base::ErrorCode::kInvalid, "length: " + problem + "; write \"30 days\"");
  }
  TRY(decide::Backtest backtest,
      decide::Backtest::make(analysis.track, catalogue, answer.now, decide::to_calendar(length)));
  TRY(const track::ContactBlock contacts,
      session.load_contacts(request.after, request.limit, {backtest.fields(), backtest.tags()}));
  backtest.add(contacts);
  answer.last = contacts.rows() == 0 ? request.after : contacts.contact.back();
  answer.done = contacts.rows() < static_cast<std::size_t>(request.limit);
  answer.figures = figures_json(backtest.figures());
  answer.accepted = true;
  return answer;
}

std::string PeerHost::rule_text(store::Session& session, const std::string& track,
                                base::Version version, const std::string& step, std::int32_t rule) {
  const auto published = session.track_version(track, version);
  if (!published) {
    return "";
  }
  const lang::Parsed parsed = lang::parse(published.value().text);
  return lang::format_cause(parsed.track, step, rule);
}

base::Result<track::Track> parse_published(const std::string& text) {
  lang::Parsed parsed = lang::parse(text);
  if (!parsed.ok()) {
    for (const lang::Diagnostic& diagnostic : parsed.diagnostics) {
      if (diagnostic.severity == lang::Severity::kError) {
        return base::fail(base::ErrorCode::kInvalid,
                          "this version of Turnout cannot read it: " + diagnostic.message);
      }
    }
  }
  return std::move(parsed.track);
}

}  // namespace turnout::cli
