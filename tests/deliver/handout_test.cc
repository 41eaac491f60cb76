#include "deliver/handout.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace turnout::deliver {
namespace {

using base::PeerName;
using base::Tick;
using store::OutboxDue;
using store::OutboxKey;

OutboxDue due(int number, std::int64_t at = 0) {
  return {OutboxKey{base::TrackId(1), base::ContactId(number), 0, 1, 1},
          base::Instant{at == 0 ? number : at}};
}

std::vector<OutboxDue> dues(int from, int to) {
  std::vector<OutboxDue> list;
  for (int i = from; i <= to; ++i) {
    list.push_back(due(i));
  }
  return list;
}

std::size_t total(const std::vector<Handed>& handed) {
  std::size_t sum = 0;
  for (const Handed& h : handed) {
    sum += h.keys.size();
  }
  return sum;
}

constexpr Tick kStart{1'000'000};

TEST(Dispatcher, HandsOutUnderCreditInProportion) {
  Dispatcher dispatcher;
  EXPECT_EQ(dispatcher.look(), 0);
  dispatcher.set_credit(PeerName("a"), 30);
  dispatcher.set_credit(PeerName("b"), 10);
  dispatcher.set_credit(PeerName("c"), -5);
  ASSERT_EQ(dispatcher.look(), 40);
  const auto handed = dispatcher.hand_out(dues(1, 20), 40, kStart);
  ASSERT_EQ(handed.size(), 2U);
  EXPECT_EQ(handed[0].keys.size(), 15U);
  EXPECT_EQ(handed[1].keys.size(), 5U);
  EXPECT_EQ(dispatcher.look(), 40) << "20 remembered, credit for 20 left";
}

TEST(Dispatcher, TheOldestGoFirst) {
  Dispatcher dispatcher;
  dispatcher.set_credit(PeerName("a"), 2);
  const auto handed = dispatcher.hand_out({due(9, 1), due(1, 2), due(5, 3)}, 10, kStart);
  ASSERT_EQ(handed.size(), 1U);
  EXPECT_EQ(handed[0].keys, (std::vector<OutboxKey>{due(1).key, due(9).key}));
}

TEST(Dispatcher, NothingIsHandedOutTwiceWhileItWaits) {
  Dispatcher dispatcher;
  dispatcher.set_credit(PeerName("a"), 5);
  EXPECT_EQ(total(dispatcher.hand_out(dues(1, 5), 5, kStart)), 5U);
  dispatcher.set_credit(PeerName("a"), 5);
  EXPECT_EQ(dispatcher.look(), 10);
  const auto more = dispatcher.hand_out(dues(1, 8), 10, kStart);
  ASSERT_EQ(total(more), 3U);
  EXPECT_EQ(more[0].keys.front(), due(6).key);
}

TEST(Dispatcher, WhatWasTakenIsForgotten) {
  Dispatcher dispatcher;
  dispatcher.set_credit(PeerName("a"), 5);
  dispatcher.hand_out(dues(1, 5), 5, kStart);
  dispatcher.hand_out(dues(4, 5), 10, kStart);  // 1, 2 and 3 have been taken
  EXPECT_EQ(dispatcher.remembered(), 2);
}

TEST(Dispatcher, ALaterAttemptIsHandedOutAtOnce) {
  Dispatcher dispatcher;
  dispatcher.set_credit(PeerName("a"), 5);
  dispatcher.hand_out({due(1, 10)}, 5, kStart);
  EXPECT_EQ(total(dispatcher.hand_out({due(1, 20)}, 5, kStart)), 1U);
}

TEST(Dispatcher, WhatAPeerLeavesIsFreeAgain) {
  Dispatcher dispatcher({.forget_after = std::chrono::seconds(30)});
  dispatcher.set_credit(PeerName("a"), 5);
  dispatcher.hand_out(dues(1, 5), 5, kStart);
  dispatcher.set_credit(PeerName("b"), 5);
  EXPECT_EQ(total(dispatcher.hand_out(dues(1, 5), 10, kStart + std::chrono::seconds(30))), 0U);
  EXPECT_EQ(total(dispatcher.hand_out(dues(1, 5), 10, kStart + std::chrono::seconds(31))), 5U);
  dispatcher.forget_peer(PeerName("b"));
  dispatcher.set_credit(PeerName("c"), 5);
  EXPECT_EQ(total(dispatcher.hand_out(dues(1, 5), 10, kStart + std::chrono::seconds(31))), 5U);
}

TEST(Dispatcher, RemembersNoMoreThanItMay) {
  Dispatcher dispatcher({.max_remembered = 3});
  dispatcher.set_credit(PeerName("a"), 10);
  EXPECT_EQ(dispatcher.look(), 3);
  EXPECT_EQ(total(dispatcher.hand_out(dues(1, 3), 3, kStart)), 3U);
  EXPECT_EQ(dispatcher.look(), 0);
}

// Random peers, credits and takings: every key is out with one peer at most, and credit is never
// exceeded.
TEST(Dispatcher, KeepsItsPromisesUnderRandomUse) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  Dispatcher dispatcher;
  std::map<OutboxKey, base::Instant> waiting;
  for (int i = 1; i <= 500; ++i) {
    waiting.emplace(due(i).key, base::Instant{static_cast<std::int64_t>(random() % 100)});
  }
  std::set<OutboxKey> out;
  std::size_t done = 0;
  for (int round = 0; round < 2'000 && done < 500; ++round) {
    std::map<PeerName, std::size_t> credit;
    for (const char* const name : {"a", "b", "c"}) {
      const auto left = static_cast<std::int32_t>(random() % 20);
      dispatcher.set_credit(PeerName(name), left);
      credit[PeerName(name)] = static_cast<std::size_t>(left);
    }
    const int looked = dispatcher.look();
    std::vector<OutboxDue> rows;
    for (const auto& [key, at] : waiting) {
      rows.push_back({key, at});
    }
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
      return std::pair(a.due, a.key) < std::pair(b.due, b.key);
    });
    rows.resize(std::min(rows.size(), static_cast<std::size_t>(looked)));
    for (const Handed& handed : dispatcher.hand_out(rows, looked, kStart)) {
      EXPECT_LE(handed.keys.size(), credit[handed.peer]);
      for (const OutboxKey& key : handed.keys) {
        EXPECT_TRUE(out.insert(key).second) << "handed out twice";
      }
    }
    for (auto it = out.begin(); it != out.end();) {
      if (random() % 3 == 0) {  // its peer takes it
        waiting.erase(*it);
        it = out.erase(it);
        ++done;
      } else {
        ++it;
      }
    }
  }
  EXPECT_EQ(done, 500U);
}

}  // namespace
}  // namespace turnout::deliver
