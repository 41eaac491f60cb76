// What happens to the database, and between it and the peers.

#include <algorithm>
#include <memory>

#include "sim/nemesis.h"

namespace turnout::sim {

void Nemesis::no_database(Duration lasts) {
  if (world_.random().chance(500)) {
    Host* const host = pick();
    host->database_up = false;
    begin("no_database", "no database for " + host->name().get(), lasts,
          [host] { host->database_up = true; });
    return;
  }
  for (const auto& [name, host] : world_.hosts()) {
    host->database_up = false;
  }
  begin("no_database", "no database", lasts, [this] {
    for (const auto& [name, host] : world_.hosts()) {
      host->database_up = true;
    }
  });
}

void Nemesis::slow_database(Duration lasts) {
  world_.extra_database_latency = world_.random().chance(300) ? some(8, 30) : some(1, 8);
  begin("slow_database",
        "database slow by up to " + std::to_string(world_.extra_database_latency.count() / 1000) +
            " ms each way",
        lasts, [this] { world_.extra_database_latency = {}; });
}

void Nemesis::answers_lost(Duration lasts) {
  world_.answers_lost = static_cast<int>(world_.random().between(20, 300));
  begin("answers_lost", "answers lost", lasts, [this] { world_.answers_lost = 0; });
}

void Nemesis::slow_cuts(Duration lasts) {
  world_.extra_cut_time = some(8, 40);
  begin("slow_cuts",
        "cuts slow by up to " + std::to_string(world_.extra_cut_time.count() / 1000) + " ms", lasts,
        [this] { world_.extra_cut_time = {}; });
}

// Forward or backward; never further than this from where it would be.
void Nemesis::clock_jump(Duration) {
  world_.database_offset =
      Duration(world_.random().between(-kClockJump.count(), kClockJump.count()));
  instant("clock_jump", "the database's clock is set to " +
                            std::to_string(world_.database_offset.count() / 1000) + " ms off");
}

// The server is gone for a while; what it has not kept by then is not there afterwards.
void Nemesis::outage(const char* kind, const std::string& what, Duration behind,
                     std::function<void(const store::model::Data&)> back) {
  if (outage_) {
    return;
  }
  outage_ = true;
  const Duration down = some(1, 30);
  const auto as_it_was = std::make_shared<const store::model::Data>(world_.database().snapshot());
  const auto all_up = [this](bool up) {
    for (const auto& [name, host] : world_.hosts()) {
      host->database_up = up;
    }
    world_.break_sessions();
  };
  world_.after(behind, [this, all_up] {
    if (!stopped_) {
      say("the primary is gone");
      all_up(false);
    }
  });
  begin(kind, what, behind + down, [this, as_it_was, all_up, back = std::move(back)] {
    outage_ = false;
    if (!stopped_) {
      back(*as_it_was);
      all_up(true);
    }
  });
}

// A standby takes over that was behind. The timeline is the next, and all that the standby had not
// received never was.
void Nemesis::fail_over(Duration lasts) {
  outage("fail_over", "the standby is behind from here on", std::min(lasts, some(1, 30)),
         [this](const store::model::Data& as_it_was) {
           world_.database().fail_over(as_it_was);
           // Whoever pauses tracks sees to it that what was lost is done again.
           for (int track = 1; track <= world_.config().tracks; ++track) {
             world_.database().set_active(TrackId(track), paused_[TrackId(track)] == 0);
           }
         });
}

// It comes back by itself, in the same timeline.
void Nemesis::crash(Duration lasts) {
  outage("crash", "stamps are not written down from here on", std::min(lasts, some(1, 30)),
         [this, since = world_.now()](const store::model::Data& as_it_was) {
           world_.database().crash(as_it_was);
           for (const auto& [name, host] : world_.hosts()) {
             std::erase_if(host->stamped_at, [&](Tick stamp) { return stamp > since; });
           }
         });
}

// Publishing, pausing and resuming raise the epoch of a track whose owner goes on.
void Nemesis::publish(Duration) {
  const TrackId track = pick_track();
  world_.database().publish_again(track);
  instant("publish", "track " + std::to_string(track.get()) + " is published anew");
}

void Nemesis::pause_track(Duration lasts) {
  const TrackId track = pick_track();
  ++paused_[track];
  world_.database().set_active(track, false);
  begin("pause_track", "track " + std::to_string(track.get()) + " paused", lasts, [this, track] {
    if (--paused_[track] == 0) {
      world_.database().set_active(track, true);
    }
  });
}

}  // namespace turnout::sim
