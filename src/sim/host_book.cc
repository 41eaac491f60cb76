// This peer's copy of the tracks. It is read anew when a stamp's answer tells of a newer catalogue,
// before the work on a track begins, and for a block of another version.

#include <algorithm>
#include <utility>

#include "sim/host_ask.h"

namespace turnout::sim {

base::Version Host::version_of(TrackId track) const {
  const auto found = std::find_if(book_.tracks.begin(), book_.tracks.end(),
                                  [track](const auto& known) { return known.id == track; });
  return found == book_.tracks.end() ? base::Version() : found->version;
}

// What was asked for later and came earlier knows better.
void Host::take_book(const Book& book, std::uint64_t number) {
  if (number < book_taken_) {
    return;
  }
  book_taken_ = number;
  book_ = book;
  std::vector<TrackId> active;
  for (const store::TrackVersion& track : book_.tracks) {
    if (track.active) {
      active.push_back(track.id);
    }
  }
  member_->set_tracks(std::move(active), book_.catalogue, clock());
}

void Host::take_catalogue(std::int64_t version) {
  if (world_.config().work && version != catalogue_seen_) {
    catalogue_seen_ = version;
    refresh_book();
  }
}

void Host::refresh_book() {
  auto book = std::make_shared<Book>();
  ask_for_work([this, book] { *book = read_book(*session_); },
               [this, book, number = ++book_asked_](bool answered) {
                 if (answered) {
                   take_book(*book, number);
                 } else {
                   catalogue_seen_ = book_.catalogue;  // the next stamp tells of it again
                 }
               });
}

// The epoch may have been raised by a publication, so the book is brought up to date before work on
// the track begins.
void Host::begin_owned(TrackId track) {
  Owned& owned = owned_.at(track);
  if (owned.cutter || owned.reading_book) {
    return;
  }
  owned.reading_book = true;
  auto book = std::make_shared<Book>();
  ask_for_track(
      track, [this, book](const store::Fence&) { *book = read_book(*session_); },
      [this, book, number = ++book_asked_](Owned& mine, bool answered) {
        mine.reading_book = false;
        if (!answered) {
          return;  // tried again with the next poll
        }
        take_book(*book, number);
        const store::Fence fence = mine.fence;
        const base::Version version = version_of(fence.track);
        mine.cutter.emplace(fence, version, clock());
        dispatcher_->gained(fence.track, version, {fence.timeline, fence.epoch});
        follow(fence.track);
      });
}

}  // namespace turnout::sim
