// What a call costs, and several sessions at once.

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "store/sql/session.h"
#include "store/suite.h"

namespace turnout::store::test {
namespace {

class CostTest : public StoreTest {
 protected:
  // Statements that `work` sends on the session.
  template <class Work>
  std::int64_t statements(Work work) {
    auto& counted = dynamic_cast<sql::SqlSession&>(session());
    const std::int64_t before = counted.statements();
    work();
    return counted.statements() - before;
  }

  void import_more(int from, int to) {
    std::vector<std::string> keys;
    std::vector<std::vector<track::Value>> rows;
    for (int i = from; i < to; ++i) {
      keys.push_back("k" + std::to_string(i));
      rows.push_back({static_cast<double>(i)});
    }
    must(session().import_contacts(make_batch(keys, {kScore}, rows)));
  }

  // All that a block can say.
  track::BlockOutcome busy(const track::ContactBlock& block) {
    return outcome_of(block, fields(), [&](std::size_t row) {
      Way way;
      way.path = {block.step[row], 0, 2};
      way.due = row % 2 == 0 ? kLongAgo : kFarOff;
      way.acts = {{1, 1, track::ActionKind::kEmail, 5, true}};
      way.payload = "[{}]";
      way.tags = {{"a", true}, {"b", row % 3 == 0}};
      way.writes = {{0, static_cast<double>(row) + 0.5}, {1, std::string("x")}};
      return way;
    });
  }
};
TURNOUT_STORE_SUITE(CostTest);

// A block of N contacts costs a constant number of statements. On SQLite, where nothing is sent
// anywhere, it is the number of statements that are prepared and run over the rows in one
// transaction.
TEST_P(CostTest, BlocksOfAnySizeCostTheSameNumberOfStatements) {
  if (GetParam() == Kind::kModel) {
    GTEST_SKIP() << "the model sends none";
  }
  std::vector<std::int64_t> costs[4];
  int next = 1;
  const int sizes[] = {5, 20, 5, 700};  // the first two prepare what is prepared once
  for (int run = 0; run < 4; ++run) {
    std::vector<std::int64_t>& cost = costs[run];
    const int size = sizes[run];
    cost.push_back(statements([&] { import_more(next, next + size); }));
    next += size;
    cost.push_back(statements(
        [&] { must(session().gather(fence(), {base::Version(1), 1}, "", {}, {}, 20'000)); }));
    track::ContactBlock block;
    std::vector<BlockItem> items;
    for (const DueItem& item : must(session().due(track(), {}, must(session().now()), 10'000))) {
      if (item.move_no == 0) {
        items.push_back({item.contact, item.entry, item.move_no});
      }
    }
    ASSERT_EQ(static_cast<std::size_t>(size), items.size());
    cost.push_back(
        statements([&] { must(session().load(track(), items, {fields(), {"a"}}, block)); }));
    const track::BlockOutcome after = busy(block);
    cost.push_back(statements([&] { EXPECT_EQ(size, commit(block, after).moves); }));
    cost.push_back(statements([&] { EXPECT_EQ(0, commit(block, after).moves); }));
    std::vector<Wake> wakes;
    std::vector<OutboxKey> keys;
    std::vector<DeliveryResult> results;
    for (const BlockItem& item : items) {
      wakes.push_back({item.contact, item.entry, 1, 1});
      keys.push_back({track(), item.contact, item.entry, 1, 1});
      results.push_back({keys.back(), 1, OutboxState::kSent, {}, "ok"});
    }
    cost.push_back(statements([&] { EXPECT_EQ(size, must(session().wake(fence(), wakes))); }));
    cost.push_back(statements([&] {
      EXPECT_EQ(
          keys.size(),
          must(session().take_deliveries(keys, self(), std::chrono::minutes(1), fields())).size());
    }));
    cost.push_back(
        statements([&] { EXPECT_EQ(size, must(session().note_deliveries(self(), results))); }));
  }
  EXPECT_EQ(costs[2], costs[3]);
  for (const std::int64_t cost : costs[3]) {
    EXPECT_LE(cost, 20);
  }
}

// Two peers that both think a block is theirs: each contact moves once.
TEST_P(CostTest, OneBlockCommittedByTwoAtOnceMovesEachContactOnce) {
  import(300);
  gather();
  std::atomic<std::int64_t> moves = 0;
  std::atomic<std::int64_t> stale = 0;
  const track::ContactBlock block = load_due();
  const std::vector<track::Field> of_block = fields();
  std::vector<std::thread> peers;
  for (int peer = 0; peer < 3; ++peer) {
    peers.emplace_back([&, peer] {
      const auto mine = must(store().open_session());
      for (std::size_t begin = 0; begin < block.rows(); begin += 100) {
        track::ContactBlock part;
        std::vector<BlockItem> items;
        for (std::size_t row = begin; row < begin + 100; ++row) {
          items.push_back({block.contact[row], 1, 0});
        }
        must(mine->load(track(), items, {of_block, {}}, part));
        const track::BlockOutcome after = busy(part);
        Commit commit;
        commit.fence = fence();
        commit.version = base::Version(1);
        commit.peer = {base::PeerName("p" + std::to_string(peer)), base::Incarnation(1)};
        commit.connection = peer;
        commit.fields = &of_block;
        commit.before = &part;
        commit.after = &after;
        if (part.rows() > 0) {
          const CommitResult result = must(mine->commit(commit));
          moves += result.moves;
          stale += static_cast<std::int64_t>(result.stale.size());
        }
      }
    });
  }
  for (std::thread& peer : peers) {
    peer.join();
  }
  EXPECT_EQ(300, moves);
  const Report report = must(session().report("T"));
  EXPECT_EQ(300, report.moves);
  ASSERT_EQ(1U, report.actions.size());
  EXPECT_EQ(300, report.actions[0].states.at(OutboxState::kWaiting));
}

// A take-over while blocks are being committed: what was committed stays, what was not is refused.
TEST_P(CostTest, ATakeOverBetweenCommitsLosesNothing) {
  import(200);
  gather();
  const Fence old = fence();
  const track::ContactBlock block = load_due();
  const std::vector<track::Field> of_block = fields();
  std::atomic<std::int64_t> moves = 0;
  std::atomic<bool> begun = false;
  std::thread peer([&] {
    const auto mine = must(store().open_session());
    for (std::size_t row = 0; row < block.rows(); ++row) {
      track::ContactBlock one;
      must(mine->load(track(), {{block.contact[row], 1, 0}}, {of_block, {}}, one));
      const track::BlockOutcome after = busy(one);
      Commit commit;
      commit.fence = old;
      commit.version = base::Version(1);
      commit.peer = self();
      commit.fields = &of_block;
      commit.before = &one;
      commit.after = &after;
      const CommitResult result = must(mine->commit(commit));
      moves += result.moves;
      begun = true;
      if (result.fenced) {
        EXPECT_EQ(0, result.positions);
      }
    }
  });
  while (!begun) {
    std::this_thread::yield();
  }
  take_track();
  const std::int64_t at_take_over = must(session().report("T")).moves;
  peer.join();
  EXPECT_EQ(at_take_over, must(session().report("T")).moves)
      << "nothing under the old epoch after the take-over";
  EXPECT_EQ(at_take_over, moves);
}

}  // namespace
}  // namespace turnout::store::test
