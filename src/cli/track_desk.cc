#include "cli/track_desk.h"

#include <algorithm>
#include <utility>

#include "decide/program.h"
#include "lang/checker.h"
#include "lang/formatter.h"
#include "lang/parser.h"

namespace turnout::cli {
namespace {

constexpr std::size_t kKnownVersions = 64;

}  // namespace

// A version once parsed.
struct TrackDesk::Known {
  std::string name;
  base::Version version;
  track::Track track;
};

TrackDesk::TrackDesk() = default;
TrackDesk::~TrackDesk() = default;

base::Result<web::PublishAnswer> TrackDesk::publish(store::Session& session,
                                                    const web::PublishRequest& request) {
  TRY(track::Catalogue catalogue, session.catalogue());
  catalogue.templates = templates();
  catalogue.webhooks = webhooks();
  lang::Analysis analysis = lang::analyse(request.text, catalogue);
  if (analysis.ok()) {
    for (lang::Diagnostic& diagnostic : lang::check_runnable(analysis.track)) {
      analysis.diagnostics.push_back(std::move(diagnostic));
    }
    lang::sort_by_place(analysis.diagnostics);
  }
  web::PublishAnswer answer;
  answer.track = analysis.track.name.text;
  answer.diagnostics = lang::to_json(analysis.diagnostics, request.file);
  if (!analysis.ok()) {
    return answer;
  }
  TRYV(decide::Program::compile(analysis.track, catalogue, track::extend({}, analysis.track),
                                base::TrackId(1), base::Version(1)));
  TRY(answer.published, session.publish({std::move(analysis.track), request.text, request.map}));
  answer.accepted = true;
  return answer;
}

std::string TrackDesk::rule_text(store::Session& session, const std::string& track,
                                 base::Version version, const std::string& step,
                                 std::int32_t rule) {
  const std::shared_ptr<const Known> known = find(session, track, version);
  if (known == nullptr || rule < 0) {
    return "";
  }
  for (const track::Step* const candidate : known->track.steps()) {
    if (candidate->name.text == step && static_cast<std::size_t>(rule) < candidate->rules.size()) {
      return lang::format_head(candidate->rules[static_cast<std::size_t>(rule)].head);
    }
  }
  return "";
}

std::shared_ptr<const TrackDesk::Known> TrackDesk::find(store::Session& session,
                                                        const std::string& track,
                                                        base::Version version) {
  const auto is_it = [&](const auto& known) {
    return known->version == version && known->name == track;
  };
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = std::find_if(known_.begin(), known_.end(), is_it);
        found != known_.end()) {
      known_.splice(known_.begin(), known_, found);
      return known_.front();
    }
  }
  auto row = session.track_version(track, version);
  if (!row) {
    return nullptr;
  }
  auto made =
      std::make_shared<const Known>(Known{track, version, lang::parse(row.value().text).track});
  const std::lock_guard lock(mutex_);
  known_.push_front(made);
  if (known_.size() > kKnownVersions) {
    known_.pop_back();
  }
  return made;
}

}  // namespace turnout::cli
