#include "work/track_book.h"

#include <utility>

namespace turnout::work {

namespace {

store::Reads reads_of(const decide::Program& program) {
  return {program.fields(), program.tags(),    program.places(),
          program.events(), program.recalls(), program.keeps_data()};
}

store::Reads reads_of(const decide::GatherClause& clause) {
  return {clause.fields(), clause.tags(), clause.places(), {}, clause.events(), false};
}

}  // namespace

std::shared_ptr<const TrackEntry> TrackBook::compile(store::TrackVersion published,
                                                     const track::Catalogue& catalogue) const {
  auto entry = std::make_shared<TrackEntry>();
  entry->published = std::move(published);
  const store::TrackVersion& version = entry->published;
  auto tree = parse_(version.text);
  if (!tree) {
    entry->problem = tree.error().message;
    return entry;
  }
  auto program = decide::Program::compile(tree.value(), catalogue, version.numbering, version.id,
                                          version.version);
  auto gathers = decide::compile_gathers(tree.value(), catalogue, version.numbering);
  auto guards = decide::Guards::compile(tree.value(), catalogue);
  if (!program) {
    entry->problem = program.error().message;
  } else if (!gathers) {
    entry->problem = gathers.error().message;
  } else if (!guards) {
    entry->problem = guards.error().message;
  } else {
    if (guards.value().any()) {
      entry->guards = std::make_shared<const decide::Guards>(std::move(guards.value()));
    }
    entry->reads = reads_of(program.value());
    for (const decide::GatherClause& clause : gathers.value()) {
      entry->gather_reads.push_back(reads_of(clause));
    }
    entry->program = std::make_shared<const decide::Program>(std::move(program.value()));
    entry->gathers =
        std::make_shared<const std::vector<decide::GatherClause>>(std::move(gathers.value()));
  }
  return entry;
}

base::Result<void> TrackBook::refresh(store::Session& session) {
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    number = ++begun_;
  }
  // Read first, so that what is published meanwhile is read again.
  TRY(const std::int64_t newest, session.catalogue_version());
  {
    const std::lock_guard lock(mutex_);
    if (newest == version_) {
      return base::ok();
    }
  }
  TRY(track::Catalogue catalogue, session.catalogue());
  TRY(std::vector<store::TrackVersion> versions, session.tracks());
  bool same_fields = false;
  std::map<base::TrackId, std::shared_ptr<const TrackEntry>> known;
  {
    const std::lock_guard lock(mutex_);
    same_fields = catalogue.fields.size() == catalogue_.fields.size();
    known = tracks_;
  }
  std::map<base::TrackId, std::shared_ptr<const TrackEntry>> tracks;
  for (store::TrackVersion& version : versions) {
    const base::TrackId id = version.id;
    const auto old = known.find(id);
    const bool current = old != known.end() && old->second->problem.empty() &&
                         old->second->published.version == version.version &&
                         old->second->published.text == version.text &&
                         old->second->published.active == version.active;
    tracks[id] = current && same_fields ? old->second : compile(std::move(version), catalogue);
  }
  const std::lock_guard lock(mutex_);
  if (number < taken_) {
    return base::ok();  // one that began later knows better, and has finished before
  }
  taken_ = number;
  tracks_ = std::move(tracks);
  catalogue_ = std::move(catalogue);
  version_ = newest;
  return base::ok();
}

void TrackBook::forget_version() {
  const std::lock_guard lock(mutex_);
  version_ = 0;
}

std::shared_ptr<const TrackEntry> TrackBook::find(base::TrackId id) const {
  const std::lock_guard lock(mutex_);
  const auto found = tracks_.find(id);
  return found == tracks_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<const TrackEntry>> TrackBook::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<const TrackEntry>> all;
  all.reserve(tracks_.size());
  for (const auto& [id, entry] : tracks_) {
    all.push_back(entry);
  }
  return all;
}

track::Catalogue TrackBook::catalogue() const {
  const std::lock_guard lock(mutex_);
  return catalogue_;
}

}  // namespace turnout::work
