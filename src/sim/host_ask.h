#pragma once

// How a host takes its inputs and asks the database. Templates, since most of what is simulated
// goes through here: what is to be called is stored once, where it waits, and not wrapped anew at
// each layer.

#include <utility>

#include "sim/world.h"

namespace turnout::sim {

template <class Action>
void Host::input(Action action) {
  if (!alive()) {
    return;
  }
  if (paused_) {
    inbox_.emplace_back(std::move(action));
    return;
  }
  action();
  world_.config().work ? pump() : pump_soon();
}

template <class Run, class Done>
void Host::ask(Run run, Done done) {
  const std::int64_t half = world_.config().database_latency.count() / 2;
  const std::int64_t extra = world_.extra_database_latency.count();
  const auto wait = [&] { return Duration(half + (extra > 0 ? world_.random().below(extra) : 0)); };
  const bool reaches = database_up;
  const bool answer = reaches && !world_.random().chance(world_.answers_lost);
  const Duration there = wait();
  const Duration back = answer ? wait() : wait() + world_.config().cycle;  // else: a time-out
  if (reaches) {
    world_.after(there, std::move(run));
  }
  world_.after(there + back, [this, life = life_, answer, done = std::move(done)]() mutable {
    if (alive() && life == life_) {
      input([done = std::move(done), answer] { done(answer); });
    }
  });
}

template <class Run, class Done>
void Host::ask_for_work(Run run, Done done) {
  ask(std::move(run), [this, began = clock(), done = std::move(done)](bool answered) {
    member_->database(answered, began, clock());
    done(answered);
  });
}

template <class Run, class Done>
void Host::ask_for_track(TrackId track, Run run, Done done) {
  const store::Fence fence = owned_.at(track).fence;
  ask_for_work([fence, run = std::move(run)] { run(fence); },
               [this, fence, done = std::move(done)](bool answered) {
                 const auto found = owned_.find(fence.track);
                 if (found != owned_.end() && found->second.fence.timeline == fence.timeline &&
                     found->second.fence.epoch == fence.epoch) {
                   done(found->second, answered);
                 }
               });
}

}  // namespace turnout::sim
