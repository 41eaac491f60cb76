// Lives, stamps, the ledger and its fences.

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "store/suite.h"

namespace turnout::store::test {
namespace {

class GroupTest : public StoreTest {
 protected:
  LedgerRow row() {
    for (const LedgerRow& row : must(group().ledger())) {
      if (row.track == track()) {
        return row;
      }
    }
    ADD_FAILURE() << "no row";
    return {};
  }
  Fence at(std::int64_t timeline, std::int64_t epoch) const {
    return {track(), base::Timeline(timeline), base::Epoch(epoch)};
  }
};
TURNOUT_STORE_SUITE(GroupTest);

TEST_P(GroupTest, TheLedgerHasTheMasterAndEveryTrack) {
  const std::vector<LedgerRow> rows = must(group().ledger());
  ASSERT_EQ(2U, rows.size());
  EXPECT_EQ(kMasterRow, rows[0].track);
  EXPECT_FALSE(rows[0].owner.has_value());
  EXPECT_EQ(track(), rows[1].track);
  EXPECT_EQ(self(), rows[1].owner);
  EXPECT_EQ(base::Version(1), rows[1].version);
  EXPECT_TRUE(rows[1].active);
}

// G1: (timeline, epoch) only rises, and one of two takers wins.
TEST_P(GroupTest, TakingIsACompareAndSetThatRaisesTheEpoch) {
  const LedgerRow before = row();
  const PeerId other{base::PeerName("q"), base::Incarnation(77)};
  const TakeResult taken = must(group().take(track(), before.timeline, before.epoch, other, {}));
  EXPECT_TRUE(taken.taken);
  EXPECT_EQ(other, taken.row.owner);
  EXPECT_EQ(before.epoch.get() + 1, taken.row.epoch.get());
  const TakeResult late = must(group().take(track(), before.timeline, before.epoch, self(), {}));
  EXPECT_FALSE(late.taken);
  EXPECT_EQ(other, late.row.owner);
  EXPECT_EQ(taken.row.epoch, late.row.epoch);
  const base::Timeline wrong(before.timeline.get() + 1);
  EXPECT_FALSE(must(group().take(track(), wrong, taken.row.epoch, self(), {})).taken);
  EXPECT_EQ(other, row().owner);
}

// G12: what was decided by a stamp holds only while the stamp stands.
TEST_P(GroupTest, ATakeByAStampIsRefusedWhenTheStampHasMoved) {
  const LedgerRow before = row();
  const auto other = must(store().open_group_session());
  const PeerId taker{base::PeerName("q"), must(other->begin_life(base::PeerName("q"), "a:1"))};
  const StampAnswer stamped = must(group().stamp(self()));
  const std::int64_t read = stamped.own_stamp;
  base::Timeline timeline = stamped.timeline;
  const auto take = [&](std::int64_t stamp, std::int64_t life) {
    return must(other->take(track(), before.timeline, before.epoch, taker,
                            StillStamp{{self().name, base::Incarnation(life)}, stamp, timeline}));
  };
  const std::int64_t life = self().incarnation.get();
  must(group().stamp(self()));
  const TakeResult moved = take(read, life);
  EXPECT_FALSE(moved.taken);
  EXPECT_EQ(self(), moved.row.owner);
  EXPECT_EQ(before.epoch, moved.row.epoch);
  EXPECT_FALSE(take(read + 1, life - 1).taken);  // a later life has begun since
  if (GetParam() != Kind::kSqlite) {             // which has one timeline only
    timeline = base::Timeline(timeline.get() + 1);
    EXPECT_FALSE(take(read + 1, life).taken);
    timeline = stamped.timeline;
  }
  EXPECT_TRUE(take(read + 1, life).taken);
}

TEST_P(GroupTest, TheMasterRowIsTakenLikeATrack) {
  const LedgerRow master = must(group().ledger())[0];
  const TakeResult taken =
      must(group().take(kMasterRow, master.timeline, master.epoch, self(), {}));
  EXPECT_TRUE(taken.taken);
  const StampAnswer answer = must(group().stamp(self()));
  EXPECT_EQ(self(), answer.master.owner);
  EXPECT_EQ(taken.row.epoch, answer.master.epoch);
  EXPECT_EQ(answer.own_stamp, must(group().stamp(self())).master_stamp - 1);
}

TEST_P(GroupTest, CedingLeavesTheEpochAndIsForTheOwnerAtThatEpoch) {
  const LedgerRow before = row();
  const PeerId other{base::PeerName("q"), base::Incarnation(77)};
  const PeerId older{self().name, base::Incarnation(self().incarnation.get() - 1)};
  EXPECT_FALSE(must(group().cede(track(), before.epoch, other)));
  EXPECT_FALSE(must(group().cede(track(), before.epoch, older)));
  EXPECT_FALSE(must(group().cede(track(), base::Epoch(before.epoch.get() - 1), self())));
  EXPECT_TRUE(must(group().cede(track(), before.epoch, self())));
  EXPECT_FALSE(row().owner.has_value());
  EXPECT_EQ(before.epoch, row().epoch);
  EXPECT_FALSE(must(group().cede(track(), before.epoch, self())));
}

TEST_P(GroupTest, APausedTrackIsFencedAndNotTaken) {
  const LedgerRow before = row();
  must(session().set_active("T", false));
  EXPECT_FALSE(row().active);
  EXPECT_GT(row().epoch, before.epoch);
  EXPECT_FALSE(must(group().take(track(), row().timeline, row().epoch, self(), {})).taken);
  import(2);
  EXPECT_TRUE(must(session().gather({track(), row().timeline, row().epoch}, {base::Version(1), 1},
                                    "", {}, {}, 10))
                  .fenced);
  EXPECT_FALSE(must(session().tracks()).at(0).active);
  must(session().set_active("T", true));
  take_track();
  gather();
  EXPECT_EQ(2U, load_due().rows());
  EXPECT_EQ(base::ErrorCode::kNotFound, session().set_active("U", true).error().code);
}

// G2: every write for a track carries its fence.
TEST_P(GroupTest, EveryWriteUnderAnotherEpochOrTimelineIsRefused) {
  import(4);
  gather();
  const track::ContactBlock before = load_due();
  const track::BlockOutcome after = all_to(before, 2);
  const std::string untouched = database().dump(Times::kRaw).text();
  const std::int64_t timeline = fence().timeline.get();
  const std::int64_t epoch = fence().epoch.get();
  Fence no_track = fence();
  no_track.track = base::TrackId(track().get() + 1);
  for (const Fence& wrong : {at(timeline, epoch - 1), at(timeline, epoch + 1),
                             at(timeline + 1, epoch), at(timeline - 1, epoch), no_track}) {
    const CommitResult result = commit(wrong, before, after);
    EXPECT_TRUE(result.fenced);
    EXPECT_EQ(0, result.positions);
    EXPECT_EQ(0, result.moves);
    const auto wake = session().wake(wrong, {{before.contact[0], 1, 0, 0}});
    ASSERT_FALSE(wake);
    EXPECT_EQ(base::ErrorCode::kConflict, wake.error().code);
    const auto cursor = session().set_cursor(wrong, "c", "x");
    ASSERT_FALSE(cursor);
    EXPECT_EQ(base::ErrorCode::kConflict, cursor.error().code);
    EXPECT_TRUE(must(session().gather(wrong, {base::Version(1), 1}, "", {}, {}, 10)).fenced);
    EXPECT_TRUE(
        must(session().gather_these(wrong, {base::Version(1), 1}, "", {}, {before.contact[0]}))
            .fenced);
  }
  EXPECT_EQ(untouched, database().dump(Times::kRaw).text());
}

TEST_P(GroupTest, ATrackTakenBetweenLoadAndCommitFencesTheBlock) {
  import(3);
  gather();
  const track::ContactBlock before = load_due();
  const Fence old = fence();
  take_track();
  EXPECT_TRUE(commit(old, before, all_to(before, 2)).fenced);
  EXPECT_EQ(3, commit(before, all_to(before, 2)).moves);
}

TEST_P(GroupTest, CursorsOutliveOwners) {
  EXPECT_EQ(std::nullopt, must(session().cursor(track(), "gather 1")));
  must(session().set_cursor(fence(), "gather 1", "here"));
  must(session().set_cursor(fence(), "gather 1", "there"));
  must(session().set_cursor(fence(), "gather 2", ""));
  take_track();
  EXPECT_EQ("there", must(session().cursor(track(), "gather 1")));
  EXPECT_EQ("", must(session().cursor(track(), "gather 2")));
  EXPECT_EQ(std::nullopt, must(session().cursor(base::TrackId(99), "gather 1")));
}

// -- Lives
// ---------------------------------------------------------------------------------------------------------------

TEST_P(GroupTest, StampsRiseAndAreSeenByOthers) {
  const auto other = must(store().open_group_session());
  EXPECT_EQ(1, must(group().stamp(self())).own_stamp);
  EXPECT_EQ(2, must(group().stamp(self())).own_stamp);
  const std::vector<PeerStamp> stamps = must(other->stamps());
  ASSERT_EQ(1U, stamps.size());
  EXPECT_EQ(self(), stamps[0].peer);
  EXPECT_EQ(2, stamps[0].stamp);
  EXPECT_EQ("127.0.0.1:1", stamps[0].address);
}

TEST_P(GroupTest, ALaterIncarnationRefusesTheOlderOnesStamp) {
  EXPECT_FALSE(must(group().stamp(self())).refused);
  const auto later = must(store().open_group_session());
  const PeerId now{self().name, must(later->begin_life(self().name, "127.0.0.1:2"))};
  EXPECT_GT(now.incarnation, self().incarnation);
  EXPECT_TRUE(must(group().stamp(self())).refused);
  const StampAnswer answer = must(later->stamp(now));
  EXPECT_FALSE(answer.refused);
  EXPECT_EQ(1, answer.own_stamp);
  const std::vector<PeerStamp> stamps = must(group().stamps());
  ASSERT_EQ(1U, stamps.size());
  EXPECT_EQ(now, stamps[0].peer);
  EXPECT_EQ("127.0.0.1:2", stamps[0].address);
}

TEST_P(GroupTest, TheStampsAnswerTellsOfNewCatalogues) {
  const std::int64_t before = must(group().stamp(self())).catalogue_version;
  must(session().declare_fields(fields()));
  must(session().set_active("T", true));
  EXPECT_EQ(before, must(group().stamp(self())).catalogue_version) << "nothing was new";
  must(session().declare_fields({{"more", track::Type::kText, ""}}));
  const std::int64_t declared = must(group().stamp(self())).catalogue_version;
  EXPECT_GT(declared, before);
  must(session().publish(make_publish("T", {"A", "B", "C"}, "two")));
  const std::int64_t published = must(group().stamp(self())).catalogue_version;
  EXPECT_GT(published, declared);
  must(session().set_active("T", false));
  EXPECT_GT(must(group().stamp(self())).catalogue_version, published);
}

TEST_P(GroupTest, PeerNamesOfAnyBytesLiveAndEnd) {
  if (GetParam() == Kind::kPostgres) {
    GTEST_SKIP() << "names are text there";
  }
  const std::string names[] = {
      "../x", "a/b", ".", "a b", std::string("\xff\x01", 2), std::string(64, 'n')};
  for (const std::string& name : names) {
    auto session = must(store().open_group_session());
    const PeerId peer{base::PeerName(name), must(session->begin_life(base::PeerName(name), ""))};
    EXPECT_FALSE(must(group().life_has_ended(peer)));
    EXPECT_EQ(1, must(session->stamp(peer)).own_stamp);
    session.reset();
    EXPECT_TRUE(must(group().life_has_ended(peer)));
  }
  EXPECT_FALSE(group().begin_life(base::PeerName(""), ""));
  EXPECT_FALSE(group().begin_life(base::PeerName(std::string(65, 'n')), ""));
}

TEST_P(GroupTest, ALifeEndsWithItsSession) {
  auto other = must(store().open_group_session());
  const PeerId peer{base::PeerName("q"), must(other->begin_life(base::PeerName("q"), ""))};
  EXPECT_FALSE(must(group().life_has_ended(peer)));
  EXPECT_FALSE(must(group().life_has_ended(peer))) << "asking must not end it";
  EXPECT_FALSE(must(other->life_has_ended(self())));
  other.reset();
  for (int i = 0; i < 1000 && !must(group().life_has_ended(peer)); ++i) {
    std::this_thread::yield();  // PostgreSQL's server notices the end of a connection by itself
  }
  EXPECT_TRUE(must(group().life_has_ended(peer)));
}

TEST_P(GroupTest, AKilledProcessFreesItsLifeLock) {
  if (GetParam() == Kind::kModel) {
    GTEST_SKIP() << "the model is one process";
  }
  int ready[2];
  ASSERT_EQ(0, pipe(ready));
  const pid_t child = fork();
  if (child == 0) {
    // A connection of its own: nothing of the parent's is touched.
    auto store = open_store(database().url()).value();
    auto session = store->open_group_session().value();
    const std::int64_t incarnation = session->begin_life(base::PeerName("child"), "").value().get();
    if (write(ready[1], &incarnation, sizeof incarnation) != sizeof incarnation) {
      _exit(1);
    }
    for (;;) {
      pause();
    }
  }
  std::int64_t incarnation = 0;
  ASSERT_EQ(static_cast<ssize_t>(sizeof incarnation),
            read(ready[0], &incarnation, sizeof incarnation));
  const PeerId peer{base::PeerName("child"), base::Incarnation(incarnation)};
  EXPECT_FALSE(must(group().life_has_ended(peer)));
  kill(child, SIGSTOP);
  EXPECT_FALSE(must(group().life_has_ended(peer))) << "a stopped process lives";
  kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(child, waitpid(child, &status, 0));
  bool ended = false;
  for (int i = 0; i < 100'000 && !ended; ++i) {
    ended = must(group().life_has_ended(peer));
  }
  EXPECT_TRUE(ended);
  close(ready[0]);
  close(ready[1]);
}

}  // namespace
}  // namespace turnout::store::test
