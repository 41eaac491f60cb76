#pragma once

// How a host takes its inputs and asks the database. Templates, since most of what is simulated
// goes through here: what is to be called is stored once, where it waits, and not wrapped anew at
// each layer.

#include <utility>

#include "sim/world.h"

namespace turnout::sim {

template <class What>
void Host::input(What what) {
  if (!alive()) {
    return;
  }
  if (paused_) {
    inbox_.emplace_back(std::move(what));
    return;
  }
  what();
  world_.config().work ? pump() : pump_soon();
}

template <class Run, class Done>
void Host::ask(Run run, Done done, Duration longer) {
  const std::int64_t half = world_.config().database_latency.count() / 2;
  const std::int64_t extra = world_.extra_database_latency.count();
  const auto wait = [&] { return Duration(half + (extra > 0 ? world_.random().below(extra) : 0)); };
  const bool reaches = database_up;
  const bool answer = reaches && !world_.random().chance(world_.answers_lost);
  const Duration there = wait() + longer;
  const Duration back = answer ? wait() : wait() + world_.config().cycle;  // else: a time-out
  const int broken = world_.sessions_broken();
  if (reaches) {
    world_.after(there, [this, broken, run = std::move(run)]() mutable {
      if (world_.sessions_broken() == broken) {
        run();
      }
    });
  }
  world_.after(there + back,
               [this, life = life_, answer, broken, done = std::move(done)]() mutable {
                 if (alive() && life == life_) {
                   const bool answered = answer && world_.sessions_broken() == broken;
                   input([done = std::move(done), answered] { done(answered); });
                 }
               });
}

// By the one connection that stamps, takes and asks who lives: when it has broken, the next
// statement finds that out, and fails.
template <class Run, class Done>
void Host::ask_as_control(Run run, Done done) {
  const int broken = world_.sessions_broken();
  if (std::exchange(control_broken_, broken) != broken) {
    ask([] {}, [done = std::move(done)](bool) { done(false); });
    return;
  }
  ask(std::move(run), std::move(done));
}

template <class Run, class Done>
void Host::ask_for_work(Run run, Done done, Duration longer) {
  ask(
      std::move(run),
      [this, began = clock(), done = std::move(done)](bool answered) {
        member_->database(answered, began, clock());
        done(answered);
      },
      longer);
}

template <class Run, class Done>
void Host::ask_for_track(TrackId track, Run run, Done done, Duration longer) {
  const Owned& owned = owned_.at(track);
  ask_for_work([fence = owned.fence, run = std::move(run)] { run(fence); },
               [this, track, gained = owned.gained, done = std::move(done)](bool answered) {
                 const auto found = owned_.find(track);
                 if (found != owned_.end() && found->second.gained == gained) {
                   done(found->second, answered);
                 }
               },
               longer);
}

}  // namespace turnout::sim
