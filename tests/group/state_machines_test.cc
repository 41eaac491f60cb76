// What is easier to say in code than as a transcript: limits, costs, and messages that no
// well-behaved group sends.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "group/dispatcher.h"
#include "group/member.h"
#include "group/start.h"
#include "group/worker.h"

namespace turnout::group {
namespace {

using namespace std::chrono_literals;

Config config(const std::string& name) {
  Config made;
  made.name = PeerName(name);
  made.incarnation = Incarnation(1);
  made.group = "test";
  return made;
}

// A database that answers at once and a ledger in memory, for one Member.
class Alone {
 public:
  explicit Alone(const Config& made) : member_(made, Tick{}) {}

  Member& member() { return member_; }
  std::vector<Send> sent;
  std::map<TrackId, LedgerRow> rows;
  int requests = 0;  // to the database
  Timeline timeline{1};
  std::int64_t others_stamps = 1;
  bool holds_stamps = false;  // its own are answered late
  std::optional<std::uint64_t> held_stamp;

  void release_stamp(Tick now) {
    holds_stamps = false;
    if (const auto number = std::exchange(held_stamp, std::nullopt)) {
      member_.stamped({*number, Attempt::kDone, rows[kMasterRow], 0, timeline}, now);
    }
    settle(now);
  }

  void settle(Tick now) {
    for (Ready ready = member_.take_ready(); !ready.empty(); ready = member_.take_ready()) {
      sent.insert(sent.end(), ready.messages.begin(), ready.messages.end());
      if (ready.stamp && holds_stamps) {
        held_stamp = ready.stamp->number;
      } else if (ready.stamp) {
        ++requests;
        member_.stamped({ready.stamp->number, Attempt::kDone, rows[kMasterRow], 0, timeline}, now);
      }
      if (ready.read_stamps) {
        ++requests;
        StampReadResult result{ready.read_stamps->number, Attempt::kDone, {}};
        for (const PeerName& name : ready.read_stamps->peers) {
          result.stamps.push_back({name, Incarnation(1), others_stamps});
        }
        member_.peer_stamps(result, now);
      }
      if (ready.read_ledger) {
        ++requests;
        LedgerResult result{ready.read_ledger->number, Attempt::kDone, {}};
        for (const auto& [track, row] : rows) {
          result.rows.push_back(row);
        }
        member_.ledger_read(result, now);
      }
      for (const Take& take : ready.take) {
        ++requests;
        LedgerRow& row = rows[take.track];
        const bool still = !take.still || take.still->count == others_stamps;
        const bool taken = row.fence == take.expected && still;
        if (taken) {
          row = {take.track,
                 PeerName("m"),
                 Incarnation(1),
                 {Timeline(1), Epoch(row.fence.epoch.get() + 1)}};
        }
        member_.granted({take.track, taken ? Attempt::kDone : Attempt::kRefused, row}, now);
      }
    }
  }

  void run(Tick& now, Duration time) {
    for (const Tick end = now + time; now < end;) {
      now = std::min(end, std::max(now, member_.next_tick()));
      member_.tick(now);
      settle(now);
    }
  }

 private:
  Member member_;
};

Advertisement advertisement(const std::string& name, std::uint64_t sequence) {
  Advertisement a;
  a.group = "test";
  a.name = PeerName(name);
  a.incarnation = Incarnation(1);
  a.sequence = sequence;
  a.cycle = 1s;
  a.miss_limit = 4;
  a.phase = PeerPhase::kMember;
  a.fit = true;
  return a;
}

TEST(Config, RefusesWhatIsOutOfRange) {  // R3: cycles from 50 ms to 120 s
  Config made = config("a");
  EXPECT_TRUE(made.validate());
  made.cycle = 120s;
  EXPECT_TRUE(made.validate());
  made.cycle = 120s + 1us;
  EXPECT_FALSE(made.validate());
  made.cycle = 49ms;
  EXPECT_FALSE(made.validate());
  made = config(std::string(65, 'x'));
  EXPECT_FALSE(made.validate());
  made = config("a");
  made.claim_counter = 3;
  EXPECT_FALSE(made.validate());
  EXPECT_TRUE(check_group_size(1'000, 1s));
  EXPECT_FALSE(check_group_size(1'001, 1s));
  EXPECT_FALSE(check_group_size(102, 50ms));
}

TEST(Start, WaitsUntilTheNamesStampStandsStill) {
  Start start(1s, 4);
  const PeerName name("a");
  const auto read = [&](std::int64_t count, Duration at, bool lock_free = false) {
    return start.stamp_read({name, Incarnation(1), count}, lock_free, Tick{} + at, Tick{} + at);
  };
  EXPECT_EQ(read(5, 0s), StartVerdict::kWait);
  EXPECT_EQ(start.next_read(), Tick{} + 1s);
  EXPECT_EQ(read(5, 1s), StartVerdict::kWait);
  EXPECT_EQ(read(5, 2s), StartVerdict::kGo);
}

TEST(Start, RefusesANameThatLives) {
  Start start(1s, 4);
  for (int second = 0; second < 4; ++second) {
    const Tick now = Tick{} + second * 1s;
    EXPECT_EQ(start.stamp_read({PeerName("a"), Incarnation(1), second + 1}, false, now, now),
              StartVerdict::kWait);
  }
  EXPECT_EQ(start.stamp_read({PeerName("a"), Incarnation(1), 9}, false, Tick{} + 4s, Tick{} + 4s),
            StartVerdict::kInUse);
}

TEST(Start, GoesAtOnceWhenTheLastProcessIsOver) {
  EXPECT_EQ(Start(1s, 4).stamp_read({PeerName("a"), Incarnation(1), 7}, true, Tick{}, Tick{}),
            StartVerdict::kGo);
  EXPECT_EQ(Start(1s, 4).stamp_read({PeerName("a"), {}, 0}, false, Tick{}, Tick{}),
            StartVerdict::kGo);
}

TEST(Member, DropsLateRepeatedAndForeignAdvertisements) {  // R7
  Alone alone(config("m"));
  const Tick now{};
  const PeerName p("p");
  EXPECT_TRUE(alone.member().receive(advertisement("p", 5), p, now));
  EXPECT_FALSE(alone.member().receive(advertisement("p", 5), p, now));
  EXPECT_FALSE(alone.member().receive(advertisement("p", 4), p, now));
  EXPECT_FALSE(alone.member().receive(advertisement("p", 6), PeerName("q"), now));
  Advertisement other = advertisement("p", 6);
  other.group = "another";
  EXPECT_FALSE(alone.member().receive(other, p, now));
  Advertisement next = advertisement("p", 1);
  next.incarnation = Incarnation(2);
  EXPECT_TRUE(alone.member().receive(next, p, now));
  EXPECT_FALSE(alone.member().receive(advertisement("p", 7), p, now));  // of its earlier life
}

TEST(Member, MasterAssignsWhatClaimsDoNotSettle) {  // R25
  Alone alone(config("m"));
  Tick now{};
  alone.member().set_tracks({TrackId(1), TrackId(2)}, 1, now);
  alone.rows[TrackId(1)] = {TrackId(1), {}, {}, {Timeline(1), Epoch(1)}};
  alone.rows[TrackId(2)] = {TrackId(2), {}, {}, {Timeline(1), Epoch(1)}};
  alone.settle(now);
  alone.run(now, 3900ms);
  // A peer claims both for ever, with fewer tracks than anybody, and never takes them.
  std::uint64_t sequence = 0;
  const Tick begun = now;
  std::optional<Tick> assigned;
  for (int second = 0; second < 12 && !assigned; ++second) {
    Advertisement stubborn = advertisement("p", ++sequence);
    stubborn.claims = {{TrackId(1), 2, -1}, {TrackId(2), 2, -1}};
    alone.member().receive(stubborn, PeerName("p"), now);
    alone.settle(now);
    alone.run(now, 1s);
    for (const Send& send : alone.sent) {
      if (std::holds_alternative<Assign>(send.message) && send.to == PeerName("p")) {
        assigned = now;
      }
    }
  }
  ASSERT_TRUE(assigned);
  EXPECT_TRUE(alone.member().is_master());
  EXPECT_GE(*assigned - begun, 6s);  // M + K
  EXPECT_LE(*assigned - begun, 8s);
}

// That the sender owns track 1 at that epoch.
OwnedList owned_list(std::uint64_t sequence, Epoch epoch) {
  OwnedList list;
  list.incarnation = Incarnation(1);
  list.sequence = sequence;
  list.tracks = {{TrackId(1), Timeline(1), epoch}};
  return list;
}

// A peer has been told of an owner that a fail-over has lost, by one that had not noticed it yet.
// What the master assigns to it is not refused for that: it asks the ledger.
TEST(Member, WhatAFailOverHasLostDoesNotStandAgainstAnAssignment) {
  Alone alone(config("m"));
  Tick now{};
  alone.member().set_tracks({TrackId(1)}, 1, now);
  alone.rows[kMasterRow] = {kMasterRow, PeerName("a"), Incarnation(1), {Timeline(1), Epoch(1)}};
  alone.rows[TrackId(1)] = {TrackId(1), PeerName("m"), Incarnation(1), {Timeline(1), Epoch(2)}};
  std::uint64_t sequence = 0;
  const auto pass = [&](int seconds) {
    for (; seconds > 0; --seconds) {
      Advertisement master = advertisement("a", ++sequence);
      master.master = true;
      master.master_name = PeerName("a");
      master.master_timeline = Timeline(1);
      master.master_epoch = Epoch(1);
      alone.member().receive(master, PeerName("a"), now);
      alone.member().receive(advertisement("p", sequence), PeerName("p"), now);
      alone.settle(now);
      alone.run(now, 1s);
    }
  };
  pass(3);
  ASSERT_TRUE(alone.member().owns(TrackId(1)));
  alone.member().receive(owned_list(++sequence, Epoch(3)), PeerName("p"), now);
  alone.settle(now);
  ASSERT_FALSE(alone.member().owns(TrackId(1)));
  pass(1);
  const Assign assign{Incarnation(1), Epoch(1), TrackId(1), Timeline(1), Epoch(2)};
  EXPECT_TRUE(alone.member().receive(assign, PeerName("a"), now));
  alone.settle(now);
  EXPECT_TRUE(alone.member().owns(TrackId(1)));
}

TEST(Member, WhatAFailOverHasLostDoesNotStandAgainstAnOffer) {
  Alone alone(config("m"));
  Tick now{};
  alone.member().set_tracks({TrackId(1)}, 1, now);
  alone.rows[TrackId(1)] = {TrackId(1), PeerName("q"), Incarnation(1), {Timeline(1), Epoch(2)}};
  std::uint64_t sequence = 0;
  const auto pass = [&](int seconds) {
    for (; seconds > 0; --seconds) {
      ++sequence;
      alone.member().receive(advertisement("p", sequence), PeerName("p"), now);
      alone.member().receive(advertisement("q", sequence), PeerName("q"), now);
      alone.settle(now);
      alone.run(now, 1s);
    }
  };
  pass(3);
  alone.member().receive(owned_list(++sequence, Epoch(3)), PeerName("p"), now);
  alone.settle(now);
  pass(1);
  const Cede cede{Incarnation(1), TrackId(1), Timeline(1), Epoch(2)};
  for (int offers = 0; offers < 2; ++offers) {
    EXPECT_TRUE(alone.member().receive(cede, PeerName("q"), now));
    alone.settle(now);
    pass(1);
  }
  EXPECT_TRUE(alone.member().owns(TrackId(1)));
}

// Work on a track rests while it is offered.
TEST(Member, AnOfferThatIsNotTakenIsNotRepeatedAtOnce) {
  Alone alone(config("m"));
  Tick now{};
  alone.member().set_tracks({TrackId(1), TrackId(2)}, 1, now);
  for (int track = 1; track <= 2; ++track) {
    alone.rows[TrackId(track)] = {
        TrackId(track), PeerName("m"), Incarnation(1), {Timeline(1), Epoch(1)}};
  }
  int offers = 0;
  for (int second = 1; second <= 40; ++second) {
    alone.member().receive(advertisement("p", static_cast<std::uint64_t>(second)), PeerName("p"),
                           now);
    alone.settle(now);
    alone.run(now, 1s);
    for (const Send& send : std::exchange(alone.sent, {})) {
      offers += std::holds_alternative<Cede>(send.message) ? 1 : 0;
    }
  }
  EXPECT_GE(offers, 3);
  EXPECT_LE(offers, 6);  // one in three cycles for the offer, and the miss limit beside
}

// A fail-over has lost the last stamps, and its owner counts up to the value that was read before:
// it has moved nevertheless.
TEST(Member, StampsOfAnotherTimelineAreForgotten) {  // G12
  Alone alone(config("m"));
  Tick now{};
  alone.member().set_tracks({TrackId(1)}, 1, now);
  alone.rows[TrackId(1)] = {TrackId(1), PeerName("p"), Incarnation(1), {Timeline(1), Epoch(1)}};
  std::uint64_t sequence = 0;
  const auto run = [&](int seconds, bool fit) {
    for (int second = 0; second < seconds && !alone.member().owns(TrackId(1)); ++second) {
      Advertisement theirs = advertisement("p", ++sequence);
      theirs.fit = fit;
      theirs.owned = 1;
      alone.member().receive(theirs, PeerName("p"), now);
      alone.settle(now);
      alone.run(now, 1s);
    }
  };
  run(8, true);
  run(2, false);
  const Tick moved = now;
  alone.timeline = Timeline(2);
  run(20, false);
  EXPECT_TRUE(alone.member().owns(TrackId(1)));
  EXPECT_GE(now - moved, 3s);  // M - 1 cycles from the first reading in the new timeline
}

// Seed 2876836: a peer that does not know of the fail-over yet reads the stamp of a silent one,
// which has counted up to the same value again.
TEST(Member, WhoIsUnavailableByStampsOfAnotherTimelineIsSoNoMore) {  // G12
  Alone alone(config("m"));
  Tick now{};
  alone.member().set_tracks({TrackId(1)}, 1, now);
  alone.rows[TrackId(1)] = {TrackId(1), PeerName("p"), Incarnation(1), {Timeline(1), Epoch(1)}};
  for (std::uint64_t second = 1; second <= 8; ++second) {
    Advertisement theirs = advertisement("p", second);
    theirs.owned = 1;
    alone.member().receive(theirs, PeerName("p"), now);
    alone.settle(now);
    alone.run(now, 1s);
  }
  alone.holds_stamps = true;
  alone.run(now, 12s);
  const auto state = [&] {
    for (const PeerInfo& peer : alone.member().peers()) {
      if (peer.name == PeerName("p")) {
        return peer.state;
      }
    }
    return PeerState::kGone;
  };
  EXPECT_EQ(state(), PeerState::kUnavailable);
  EXPECT_FALSE(alone.member().may_write());
  alone.timeline = Timeline(2);
  alone.release_stamp(now);
  EXPECT_TRUE(alone.member().may_write());
  EXPECT_EQ(state(), PeerState::kSuspect);
  alone.run(now, 2s);
  EXPECT_FALSE(alone.member().owns(TrackId(1)));
  alone.run(now, 10s);
  EXPECT_TRUE(alone.member().owns(TrackId(1)));
}

// A fail-over has lost the newest master's row, and a peer that has not noticed goes on saying what
// was.
TEST(Member, TheDatabaseIsBelievedRatherThanWhatItHasLost) {  // G5
  Alone alone(config("m"));
  Tick now{};
  alone.timeline = Timeline(2);
  alone.rows[kMasterRow] = {kMasterRow, PeerName("p"), Incarnation(1), {Timeline(1), Epoch(7)}};
  alone.rows[TrackId(1)] = {TrackId(1), PeerName("p"), Incarnation(1), {Timeline(1), Epoch(4)}};
  alone.member().set_tracks({TrackId(1)}, 1, now);
  std::uint64_t sequence = 0;
  const auto hear = [&](const char* name, bool is_master) {
    Advertisement theirs = advertisement(name, ++sequence);
    theirs.master = is_master;
    theirs.master_timeline = Timeline(1);
    theirs.master_epoch = Epoch(8);
    alone.member().receive(theirs, PeerName(name), now);
    alone.settle(now);
  };
  for (int second = 0; second < 8; ++second) {
    hear("p", false);
    hear("q", false);
    alone.run(now, 1s);
  }
  EXPECT_EQ(alone.member().master(), PeerName("p"));
  hear("q", true);
  EXPECT_EQ(alone.member().master(), PeerName("q"));
  hear("q", false);
  alone.run(now, 2s);
  EXPECT_EQ(alone.member().master(), PeerName("p"));
  EXPECT_EQ(alone.member().master_epoch(), Epoch(7));
}

// A process that stood still while the database dropped its lock is alive after all.
TEST(Member, OneThatIsHeardAgainIsNotOver) {  // G12
  Alone alone(config("m"));
  Tick now{};
  const PeerName p("p");
  alone.member().set_tracks({}, 1, now);
  alone.settle(now);
  alone.run(now, 5s);
  alone.member().receive(advertisement("p", 1), p, now);
  const auto state = [&] { return alone.member().peers().back().state; };
  const LifeResult free{p, Incarnation(1), Attempt::kDone};
  const LifeResult held{p, Incarnation(1), Attempt::kRefused};
  alone.member().connection_lost(p, now);
  alone.member().life_lock(free, now);
  EXPECT_EQ(state(), PeerState::kGone);
  EXPECT_FALSE(alone.member().receive(advertisement("p", 1), p, now));
  EXPECT_TRUE(alone.member().receive(advertisement("p", 2), p, now));
  EXPECT_EQ(state(), PeerState::kLiving);
  alone.member().life_lock(free, now);
  EXPECT_EQ(state(), PeerState::kGone);
  EXPECT_TRUE(alone.member().receive(advertisement("p", 3), p, now));
  alone.member().life_lock(held, now);
  EXPECT_EQ(state(), PeerState::kLiving);
}

// Seed 3050869: its lock was free since a fail-over had lost it. It has come back and stamped,
// which this peer was cut off from hearing.
TEST(Member, OneThatHasStampedSinceItsLockWasFreeLosesNothing) {  // G12
  Alone alone(config("m"));
  Tick now{};
  const PeerName p("p");
  const TrackId track(1);
  alone.rows[track] = {track, p, Incarnation(1), {Timeline(1), Epoch(1)}};
  alone.member().set_tracks({track}, 1, now);
  alone.settle(now);
  for (std::uint64_t second = 1; second <= 8; ++second) {
    alone.member().receive(advertisement("p", second), p, now);
    alone.run(now, 1s);
  }
  ASSERT_EQ(alone.member().master(), PeerName("m"));
  const auto state = [&] { return alone.member().peers().back().state; };
  alone.others_stamps = 7;
  alone.member().connection_lost(p, now);
  alone.member().life_lock({p, Incarnation(1), Attempt::kDone, {p, Incarnation(1), 6}}, now);
  EXPECT_EQ(state(), PeerState::kGone);
  alone.settle(now);
  EXPECT_FALSE(alone.member().owns(track));
  EXPECT_NE(state(), PeerState::kGone);
  alone.member().life_lock({p, Incarnation(1), Attempt::kDone, {p, Incarnation(1), 7}}, now);
  EXPECT_EQ(state(), PeerState::kGone);
  alone.run(now, 2s);
  EXPECT_TRUE(alone.member().owns(track));
}

TEST(Member, OneThatWasStartedAgainIsKnownByItsStamp) {
  Alone alone(config("m"));
  Tick now{};
  const PeerName p("p");
  alone.member().set_tracks({}, 1, now);
  alone.run(now, 5s);
  alone.member().receive(advertisement("p", 1), p, now);
  alone.member().connection_lost(p, now);
  alone.member().life_lock({p, Incarnation(1), Attempt::kDone, {p, Incarnation(2), 1}}, now);
  EXPECT_EQ(alone.member().peers().back().incarnation, Incarnation(2));
  EXPECT_NE(alone.member().peers().back().state, PeerState::kGone);
}

TEST(Member, CostsNothingPerTrackWhenIdle) {  // G7, R24
  Alone alone(config("m"));
  Tick now{};
  std::vector<TrackId> tracks;
  for (int track = 1; track <= 5'000; ++track) {
    tracks.emplace_back(track);
    alone.rows[TrackId(track)] = {TrackId(track),
                                  PeerName("p" + std::to_string(track % 999)),
                                  Incarnation(1),
                                  {Timeline(1), Epoch(3)}};
  }
  alone.rows[kMasterRow] = {kMasterRow, PeerName("p0"), Incarnation(1), {Timeline(1), Epoch(1)}};
  alone.member().set_tracks(tracks, 1, now);
  alone.settle(now);
  std::vector<Advertisement> heard(999, advertisement("p", 0));
  for (int peer = 0; peer < 999; ++peer) {
    Advertisement& a = heard[static_cast<std::size_t>(peer)];
    a.name = PeerName("p" + std::to_string(peer));
    OwnedList list{Incarnation(1), 1, {}};
    for (int track = peer == 0 ? 999 : peer; track <= 5'000; track += 999) {
      list.tracks.push_back({TrackId(track), Timeline(1), Epoch(3)});
      a.owned_hash += owned_hash(list.tracks.back());
      ++a.owned;
    }
    a.sequence = 2;
    a.master = peer == 0;
    a.master_timeline = Timeline(1);
    a.master_epoch = Epoch(1);
    alone.member().receive(a, a.name, now);
    alone.member().receive(list, a.name, now);
  }
  alone.settle(now);
  alone.sent.clear();
  alone.requests = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (int second = 0; second < 10; ++second) {
    for (Advertisement& a : heard) {
      ++a.sequence;
      EXPECT_TRUE(alone.member().receive(a, a.name, now));
    }
    alone.run(now, 1s);
  }
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_LE(alone.requests, 11);  // its stamps, one per cycle
  int advertisements = 0;
  for (const Send& send : alone.sent) {
    const auto* const a = std::get_if<Advertisement>(&send.message);
    advertisements += a != nullptr ? 1 : 0;
    EXPECT_TRUE(a == nullptr || (a->claims.empty() && a->backlog.empty() && a->credits.empty()));
  }
  EXPECT_LE(advertisements, 12);
  EXPECT_LT(took, 5s);  // 10,000 advertisements; generous, for sanitizers
}

// R12, R13: a million contacts flow through blocks, the whole never held.
TEST(Dispatcher, MillionContactsFlowThrough) {
  constexpr std::int64_t kContacts = 1'000'000;
  const Config made = config("a");
  Tick now{};
  Dispatcher dispatcher(made, now);
  Worker worker(made, {4, 1}, now);
  const TrackId track(1);
  dispatcher.gained(track, Version(1), {Timeline(1), Epoch(1)});
  std::int64_t cut = 0;
  std::int64_t done = 0;
  std::size_t most_held = 0;
  const auto begin = std::chrono::steady_clock::now();
  while (done < kContacts) {
    const std::int64_t want =
        std::min<std::int64_t>(static_cast<std::int64_t>(dispatcher.want(track)), kContacts - cut);
    if (want > 0) {
      std::vector<Item> items;
      for (std::int64_t i = 0; i < want; ++i) {
        items.push_back({ContactId(++cut), 1, 0});
      }
      dispatcher.offer(track, {}, std::move(items), kContacts - cut, now);
    }
    bool busy = true;
    while (busy) {
      worker.own_backlog(dispatcher.backlog(), now);
      DispatchReady handed = dispatcher.take_ready();
      for (const Send& send : handed.messages) {
        worker.receive(send.message, made.name, now);
      }
      for (const Finished& finished : handed.finished) {
        done += finished.contacts;
      }
      WorkerReady work = worker.take_ready();
      for (const Send& send : work.messages) {
        dispatcher.receive(send.message, made.name, now);
      }
      busy = !handed.messages.empty() || !work.messages.empty();
      for (const Job& job : work.jobs) {
        EXPECT_LE(job.block->items.size(), kMaxBlockItems);
        BlockReport report;
        report.elapsed = Duration(static_cast<std::int64_t>(job.block->items.size()) * 10);
        report.moved = static_cast<std::int64_t>(job.block->items.size());
        worker.finished(job.number, std::move(report), now);
        busy = true;
      }
    }
    const TrackLoad load = dispatcher.tracks().front();
    most_held = std::max(most_held, static_cast<std::size_t>(load.ready_items + load.out_items));
    now = now + 10ms;
    dispatcher.tick(now);
    worker.tick(now);
  }
  EXPECT_EQ(done, kContacts);
  EXPECT_EQ(dispatcher.tracks().front().handed_again, 0);
  EXPECT_LE(most_held, 10 * kMaxBlockItems);
  EXPECT_GT(dispatcher.tracks().front().block_size, 5'000);  // 100 ms at 10 µs a contact
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
}

TEST(Dispatcher, NeverHandsOutBeyondCreditNorToTheSilent) {  // G11
  Tick now{};
  Dispatcher dispatcher(config("a"), now);
  const TrackId track(1);
  dispatcher.gained(track, Version(1), {Timeline(1), Epoch(1)});
  for (std::int64_t contact = 1; contact <= 5; ++contact) {
    dispatcher.offer_single(track, {}, {ContactId(contact), 1, 0}, now);
  }
  EXPECT_TRUE(dispatcher.outstanding(track, ContactId(3), 1));
  EXPECT_FALSE(dispatcher.outstanding(track, ContactId(3), 2));
  EXPECT_TRUE(dispatcher.take_ready().messages.empty());
  const Credit credit{PeerName("a"), 1, 0, 0, 0, {0, 2}};
  dispatcher.receive(CreditGrant{Incarnation(1), credit}, PeerName("b"), now);
  EXPECT_EQ(dispatcher.take_ready().messages.size(), 2U);
  // The peer is lost: its blocks are ready again, under a new numbering; but it has been silent for
  // a cycle.
  dispatcher.receive(CreditGrant{Incarnation(1), {PeerName("a"), 2, 0, 0, 0, {0, 2}}},
                     PeerName("c"), now);
  EXPECT_EQ(dispatcher.take_ready().messages.size(), 2U);
  dispatcher.peer_lost(PeerName("b"), now);
  EXPECT_TRUE(dispatcher.take_ready().messages.empty());
  EXPECT_EQ(dispatcher.tracks().front().ready_blocks, 3);
  now = now + 1100ms;
  dispatcher.receive(advertisement("c", 2), PeerName("c"), now);
  EXPECT_TRUE(dispatcher.take_ready().messages.empty());
}

// A block that took longer than a cycle to cut goes to the peer's own slots all the same, though
// they were granted once and nothing has been said of them since.
TEST(Dispatcher, ItsOwnSlotsDoNotFallSilent) {  // G11
  Tick now{};
  Dispatcher dispatcher(config("a"), now);
  const TrackId track(1);
  dispatcher.gained(track, Version(1), {Timeline(1), Epoch(1)});
  const Credit credit{PeerName("a"), 1, 0, 0, 0, {2, 1}};
  for (const char* peer : {"a", "b"}) {
    dispatcher.receive(CreditGrant{Incarnation(1), credit}, PeerName(peer), now);
  }
  now = now + 3s;
  dispatcher.tick(now);
  std::vector<Item> items;
  for (std::int64_t contact = 1; contact <= 5'000; ++contact) {
    items.push_back({ContactId(contact), 1, 0});
  }
  dispatcher.offer(track, {}, items, 100'000, now);
  int handed = 0;
  for (const Send& send : dispatcher.take_ready().messages) {
    EXPECT_EQ(send.to, PeerName("a"));  // b has been silent
    handed += std::holds_alternative<BlockMessage>(send.message) ? 1 : 0;
  }
  EXPECT_EQ(handed, 2);
}

// What a peer granted before it was lost speaks of a numbering that is over: of what it says it has
// received nothing was sent in this one.
TEST(Dispatcher, ACreditOfAnEarlierNumberingGrantsItsWindowOnly) {  // G11
  const Tick now{};
  Dispatcher dispatcher(config("a"), now);
  const TrackId track(1);
  dispatcher.gained(track, Version(1), {Timeline(1), Epoch(1)});
  for (std::int64_t contact = 1; contact <= 9; ++contact) {
    dispatcher.offer_single(track, {}, {ContactId(contact), 1, 0}, now);
  }
  dispatcher.receive(CreditGrant{Incarnation(1), {PeerName("a"), 1, 0, 0, 0, {0, 2}}},
                     PeerName("b"), now);
  EXPECT_EQ(dispatcher.take_ready().messages.size(), 2U);
  dispatcher.peer_lost(PeerName("b"), now);
  EXPECT_TRUE(dispatcher.take_ready().messages.empty());
  dispatcher.receive(CreditGrant{Incarnation(1), {PeerName("a"), 2, 0, 0, 2, {0, 2}}},
                     PeerName("b"), now);
  EXPECT_EQ(dispatcher.take_ready().messages.size(), 2U);
}

// A block's number means nothing to a later life of its owner, whose numbers begin anew.
TEST(Dispatcher, AReportToAnEarlierLifeIsNotHeard) {
  const Tick now{};
  Dispatcher dispatcher(config("a"), now);
  const TrackId track(1);
  dispatcher.gained(track, Version(1), {Timeline(1), Epoch(1)});
  dispatcher.offer_single(track, {}, {ContactId(1), 1, 0}, now);
  dispatcher.receive(CreditGrant{Incarnation(1), {PeerName("a"), 1, 0, 0, 0, {0, 1}}},
                     PeerName("b"), now);
  const DispatchReady handed = dispatcher.take_ready();
  ASSERT_EQ(handed.messages.size(), 1U);
  BlockReport report;
  report.incarnation = Incarnation(1);
  report.owner_incarnation = Incarnation(0);
  report.block = std::get<BlockMessage>(handed.messages[0].message).block->id;
  report.attempt = 1;
  report.track = track;
  report.epoch = Epoch(1);
  report.credit = {PeerName("a"), 2, 0, 0, 1, {0, 1}};
  dispatcher.receive(report, PeerName("b"), now);
  EXPECT_TRUE(dispatcher.outstanding(track, ContactId(1), 1));
  EXPECT_TRUE(dispatcher.take_ready().finished.empty());
  report.owner_incarnation = Incarnation(1);
  dispatcher.receive(report, PeerName("b"), now);
  EXPECT_FALSE(dispatcher.outstanding(track, ContactId(1), 1));
}

// Three copies are out and their reports lost: nobody misses them, since all have been taken in.
TEST(Dispatcher, ABlockWhoseReportsAreLostIsHandedOutOn) {  // G6
  Tick now{};
  Dispatcher dispatcher(config("a"), now);
  const TrackId track(1);
  dispatcher.gained(track, Version(1), {Timeline(1), Epoch(1)});
  dispatcher.offer_single(track, {}, {ContactId(1), 1, 0}, now);
  std::map<std::string, std::uint32_t> taken{{"b", 0}, {"c", 0}, {"d", 0}};
  int handed = 0;
  for (std::uint64_t number = 1; number <= 120; ++number, now = now + 1s) {
    for (const auto& [peer, received] : taken) {
      const Credit credit{PeerName("a"), number, 1, 0, received, {0, 1}};
      dispatcher.receive(CreditGrant{Incarnation(1), credit}, PeerName(peer), now);
    }
    dispatcher.tick(now);
    for (const auto& [to, message] : dispatcher.take_ready().messages) {
      if (std::holds_alternative<BlockMessage>(message)) {
        ++handed;
        ++taken.at(to.get());
      }
    }
    EXPECT_TRUE(dispatcher.outstanding(track, ContactId(1), 1));
  }
  EXPECT_EQ(handed, 21);  // at 0, 2, 6, 12 s and so on: M + 2 cycles at most
}

// Seed 2754808: what blocks took while the database was slow is no measure any more afterwards.
TEST(Dispatcher, WhatBlocksTookLongAgoIsForgotten) {  // G9
  Tick now{};
  Dispatcher dispatcher(config("a"), now);
  const TrackId track(1);
  const Fence fence{Timeline(1), Epoch(1)};
  dispatcher.gained(track, Version(1), fence);
  std::uint64_t number = 0;
  std::uint32_t received = 0;
  const auto grant = [&](const char* peer, std::uint32_t taken, std::int32_t slots) {
    const Credit credit{PeerName("a"), ++number, 1, taken, 0, {slots, 0}};
    dispatcher.receive(CreditGrant{Incarnation(1), credit}, PeerName(peer), now);
  };
  const auto handed_to = [&](const char* peer) {
    std::shared_ptr<const Block> block;
    for (const auto& [to, message] : dispatcher.take_ready().messages) {
      if (const auto* handed = std::get_if<BlockMessage>(&message);
          handed != nullptr && to == PeerName(peer)) {
        block = handed->block;
      }
    }
    return block;
  };
  for (int contact = 1; contact <= 10; ++contact) {
    grant("b", received, 1);
    dispatcher.offer(track, {}, {{ContactId(contact), 1, 0}}, 0, now);
    const auto block = handed_to("b");
    ASSERT_NE(block, nullptr);
    ++received;
    now = now + 8s;
    BlockReport report;
    report.incarnation = Incarnation(1);
    report.owner_incarnation = Incarnation(1);
    report.block = block->id;
    report.attempt = 1;
    report.track = track;
    report.epoch = fence.epoch;
    report.credit = {PeerName("a"), ++number, 1, received, 0, {0, 0}};
    dispatcher.receive(report, PeerName("b"), now);
    ASSERT_FALSE(dispatcher.outstanding(track, ContactId(contact), 1));
  }
  now = now + 6s;
  dispatcher.tick(now);
  grant("b", received, 1);
  dispatcher.offer(track, {}, {{ContactId(11), 1, 0}}, 0, now);
  ASSERT_NE(handed_to("b"), nullptr);
  now = now + 2s;
  grant("c", 0, 1);
  dispatcher.tick(now);
  EXPECT_NE(handed_to("c"), nullptr);
}

// An owner that was granted every slot is killed: its successor must not wait for a lease of
// cycles.
TEST(Worker, SlotsOfAnOwnerThatIsOverAreFreeAtOnce) {  // G6
  const Tick now{};
  Worker worker(config("b"), {2, 2}, now);
  const auto asks = [&](const char* name) {
    Advertisement advertisement;
    advertisement.name = PeerName(name);
    advertisement.incarnation = Incarnation(1);
    advertisement.cycle = std::chrono::seconds(15);
    advertisement.backlog = {{TrackId(1), 100, 100}};
    worker.receive(advertisement, PeerName(name), now);
  };
  const auto granted = [&](const char* name) {
    for (const Credit& credit : worker.credits()) {
      if (credit.owner == PeerName(name)) {
        return credit.window;
      }
    }
    return Slots{};
  };
  asks("a");
  EXPECT_EQ(granted("a"), (Slots{0, 4}));
  asks("c");
  EXPECT_EQ(granted("c"), Slots{});
  worker.peer_lost(PeerName("a"), now);  // it may still use them
  EXPECT_EQ(granted("c"), Slots{});
  worker.peer_ended(PeerName("a"), now);
  EXPECT_EQ(granted("a"), Slots{});
  EXPECT_EQ(granted("c"), (Slots{0, 4}));
}

// The network may bring a message twice; what is under way in a slot is done once.
TEST(Worker, ABlockThatComesTwiceIsDoneOnce) {  // G11
  const Tick now{};
  Worker worker(config("b"), {2, 2}, now);
  Block block;
  block.id = 1;
  block.kind = BlockKind::kSingle;
  block.track = TrackId(1);
  block.items = {{ContactId(1), 1, 0}};
  BlockMessage message;
  message.incarnation = Incarnation(1);
  message.serial = 1;
  message.attempt = 1;
  message.block = std::make_shared<const Block>(block);
  for (int i = 0; i < 2; ++i) {
    worker.receive(message, PeerName("a"), now);
  }
  EXPECT_EQ(worker.jobs(), 1U);
  EXPECT_EQ(worker.take_ready().jobs.size(), 1U);
  EXPECT_EQ(worker.slots(), (Slots{2, 1}));
}

// Of owners that all have more to do than there are slots, each has its turn.
TEST(Worker, SlotsGoRoundAmongOwnersThatNeedAlike) {  // G9
  const Tick now{};
  Worker worker(config("w"), {1, 1}, now);
  for (const char* name : {"a", "b", "c"}) {
    Advertisement busy;
    busy.name = PeerName(name);
    busy.incarnation = Incarnation(1);
    busy.cycle = 1s;
    busy.backlog = {{TrackId(1), 100, 0}};
    worker.receive(busy, busy.name, now);
  }
  std::string served;
  for (std::uint32_t round = 1; round <= 6; ++round) {
    const std::vector<Credit> credits = worker.credits();
    ASSERT_EQ(credits.size(), 1U);
    const PeerName owner = credits[0].owner;
    served += owner.get();
    Block block;
    block.id = round;
    block.track = TrackId(1);
    BlockMessage message;
    message.incarnation = Incarnation(1);
    message.serial = (round + 2) / 3;
    message.backlog = {100, 0};
    message.block = std::make_shared<const Block>(block);
    worker.receive(message, owner, now);
    const WorkerReady ready = worker.take_ready();
    ASSERT_EQ(ready.jobs.size(), 1U);
    worker.finished(ready.jobs[0].number, {}, now);
  }
  EXPECT_EQ(served, "abcabc");
}

// One's own slots are used however long they have not been granted anew, so what is taken back is
// said.
TEST(Worker, OwnSlotsTakenBackAreSaid) {  // G11
  const Tick now{};
  Worker worker(config("w"), {2, 1}, now);
  worker.own_backlog({{TrackId(1), 5, 0}}, now);
  worker.take_ready();
  worker.own_backlog({}, now);
  const WorkerReady ready = worker.take_ready();
  ASSERT_EQ(ready.messages.size(), 1U);
  EXPECT_EQ(ready.messages[0].to, PeerName("w"));
  EXPECT_EQ(std::get<CreditGrant>(ready.messages[0].message).credit.window, Slots{});
}

// The word of it may be lost. Its worker then goes on saying what it granted, and would grant it to
// nobody else.
TEST(Dispatcher, WhatWasGivenBackAndIsGrantedStillIsGivenBackAgain) {  // G11
  Tick now{};
  Dispatcher dispatcher(config("a"), now);
  dispatcher.gained(TrackId(1), Version(1), {Timeline(1), Epoch(1)});
  const Credit granted{PeerName("a"), 4, 1, 0, 0, {2, 1}};
  const auto given_back = [&] {
    dispatcher.receive(CreditGrant{Incarnation(1), granted}, PeerName("b"), now);
    std::vector<Credit> all;
    for (const Send& send : dispatcher.take_ready().messages) {
      all.push_back(std::get<CreditGrant>(send.message).credit);
    }
    return all;
  };
  const std::vector<Credit> first = given_back();  // there is nothing to hand out
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].number, 4U);
  EXPECT_EQ(first[0].window, Slots{});
  now = now + 500ms;
  EXPECT_TRUE(given_back().empty()) << "the two may have crossed";
  now = now + 500ms;
  EXPECT_EQ(given_back(), first);
  EXPECT_TRUE(given_back().empty());
}

// A grant may cross the word that its owner needs nothing any more; when the owner then gives it
// back, the slot is free at once and not only when the grant could not be used any more.
TEST(Worker, AGrantThatHasLapsedIsFreeWhenItIsGivenBack) {  // G9
  const Tick now{};
  Worker worker(config("w"), {0, 1}, now);
  const auto advertise = [&](const char* name, std::int32_t need) {
    Advertisement said;
    said.name = PeerName(name);
    said.incarnation = Incarnation(1);
    said.cycle = 1s;
    said.backlog = {{TrackId(1), 0, need}};
    worker.receive(said, said.name, now);
  };
  advertise("a", 1);
  const Credit granted = worker.credits().at(0);
  ASSERT_EQ(granted.window, (Slots{0, 1}));
  advertise("a", 0);
  advertise("b", 1);
  EXPECT_TRUE(worker.credits().empty()) << "it is reserved for a";
  Credit kept{PeerName("a"), granted.number, 0, 0, 0, {0, 0}};
  --kept.number;
  worker.receive(CreditGrant{Incarnation(1), kept}, PeerName("a"), now);
  EXPECT_TRUE(worker.credits().empty()) << "that speaks of another grant";
  kept.number = granted.number;
  // A block was sent under it, and is on its way.
  kept.received_single = 1;
  worker.receive(CreditGrant{Incarnation(1), kept}, PeerName("a"), now);
  EXPECT_TRUE(worker.credits().empty());

  Worker another(config("w"), {0, 1}, now);
  std::swap(worker, another);
  advertise("a", 1);
  advertise("a", 0);
  advertise("b", 1);
  kept.number = granted.number;
  kept.received_single = 0;
  worker.receive(CreditGrant{Incarnation(1), kept}, PeerName("a"), now);
  ASSERT_EQ(worker.credits().size(), 1U);
  EXPECT_EQ(worker.credits()[0].owner, PeerName("b"));
}

}  // namespace
}  // namespace turnout::group
