#include "cli/peer_host.h"

#include <utility>

#include "decide/gather.h"
#include "decide/program.h"
#include "lang/checker.h"
#include "lang/formatter.h"
#include "lang/parser.h"

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

}  // namespace

base::Result<web::PublishAnswer> PeerHost::publish(store::Session& session,
                                                   const web::PublishRequest& request) {
  TRY(track::Catalogue catalogue, session.catalogue());
  catalogue.templates = templates_;
  catalogue.webhooks = webhooks_;
  lang::Analysis analysis = lang::analyse(request.text, catalogue);
  if (analysis.ok()) {
    for (lang::Diagnostic& diagnostic : lang::check_runnable(analysis.track)) {
      analysis.diagnostics.push_back(std::move(diagnostic));
    }
  }
  if (analysis.ok()) {
    compile_for_diagnostics(analysis.track, catalogue, analysis.diagnostics);
  }
  lang::sort_by_place(analysis.diagnostics);
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
  TRY(answer.published, session.publish(publish));
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
