// The outbox: taken by one, noted by the one that took it, given up when that one is over.

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "store/model/model.h"
#include "store/suite.h"

namespace turnout::store::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class DeliveryTest : public StoreTest {
 protected:
  // k1 … k4 have an e-mail each, k4 a webhook with a payload as well.
  void ask() {
    import(4);
    gather();
    const track::ContactBlock block = load_due();
    commit(block, outcome_of(block, fields(), [&](std::size_t row) {
             Way way;
             way.path = {1, 0, 7};
             way.state = track::PositionState::kStopped;
             way.acts = {{1, 1, track::ActionKind::kEmail, 5, false}};
             if (row == 3) {
               way.acts.push_back({1, 2, track::ActionKind::kWebhook, 6, true});
               way.payload = R"([null,{"x":"y"}])";
             }
             return way;
           }));
  }
  std::vector<OutboxKey> due_keys() {
    std::vector<OutboxKey> keys;
    for (const OutboxDue& due : must(session().outbox_due(100))) {
      keys.push_back(due.key);
    }
    std::sort(keys.begin(), keys.end());
    return keys;
  }
  std::vector<Delivery> take(const std::vector<OutboxKey>& keys,
                             base::Duration lease = std::chrono::minutes(1)) {
    return must(session().take_deliveries(keys, self(), lease, {kScore}));
  }
  std::map<OutboxState, int> states() {
    std::map<OutboxState, int> states;
    for (const OutboxRow& row : must(session().outbox(std::nullopt, 100))) {
      ++states[row.state];
    }
    return states;
  }
  void fail_over() {
    if (database().sql() != nullptr) {
      must(database().sql()->execute(
          "update setting set value = '77' where name = 'deliveries_held_in'", {}));
    } else {
      auto& model = dynamic_cast<model::ModelStore&>(database().store());
      model.fail_over(model.snapshot());
    }
  }
};
TURNOUT_STORE_SUITE(DeliveryTest);

TEST_P(DeliveryTest, ADeliveryHasAllThatCarryingItOutNeeds) {
  ask();
  const std::vector<OutboxKey> keys = due_keys();
  ASSERT_THAT(keys, SizeIs(5));
  EXPECT_THAT(must(session().outbox_due(2)), SizeIs(2));
  const std::vector<Delivery> taken = take(keys);
  ASSERT_THAT(taken, SizeIs(5));
  const Delivery& first = taken[0];
  EXPECT_EQ(1, first.attempt);
  EXPECT_EQ(track::ActionKind::kEmail, first.kind);
  EXPECT_EQ("hello", first.name);
  EXPECT_EQ("T", first.track);
  EXPECT_EQ(base::Version(1), first.version);
  EXPECT_EQ("", first.payload);
  EXPECT_EQ(key_of(first.key.contact), first.contact_key);
  EXPECT_EQ("k" + std::to_string(static_cast<int>(std::get<double>(first.values.at(0)))),
            first.contact_key);
  const Delivery& last = taken[4];
  EXPECT_EQ("hook", last.name);
  EXPECT_EQ(track::ActionKind::kWebhook, last.kind);
  EXPECT_EQ(R"({"x":"y"})", last.payload);
  EXPECT_EQ(2, last.key.action_no);
}

// G5: of a delivery at most one attempt is in `sending`.
TEST_P(DeliveryTest, OnlyOneTakesADelivery) {
  ask();
  const std::vector<OutboxKey> keys = due_keys();
  EXPECT_THAT(take({keys[0], keys[1]}), SizeIs(2));
  const auto other = must(store().open_session());
  const PeerId q{base::PeerName("q"), base::Incarnation(99)};
  EXPECT_THAT(must(other->take_deliveries(keys, q, std::chrono::minutes(1), {})), SizeIs(3));
  EXPECT_THAT(take(keys), IsEmpty());
  EXPECT_THAT(take({}), IsEmpty());
  EXPECT_EQ(5, states()[OutboxState::kSending]);
}

TEST_P(DeliveryTest, ResultsAreNotedByTheOneThatHasIt) {
  ask();
  const std::vector<OutboxKey> keys = due_keys();
  take({keys[0], keys[1], keys[2], keys[3]});
  const PeerId older{self().name, base::Incarnation(self().incarnation.get() - 1)};
  const PeerId other{base::PeerName("q"), self().incarnation};
  const std::vector<DeliveryResult> sent = {{keys[0], 1, OutboxState::kSent, {}, "250 ok"}};
  EXPECT_EQ(0, must(session().note_deliveries(older, sent)));
  EXPECT_EQ(0, must(session().note_deliveries(other, sent)));
  EXPECT_EQ(0, must(session().note_deliveries(self(), {{keys[0], 2, OutboxState::kSent, {}, ""}})));
  EXPECT_EQ(0, must(session().note_deliveries(self(), {{keys[4], 0, OutboxState::kSent, {}, ""}})));
  EXPECT_EQ(0, must(session().note_deliveries(self(), {})));
  EXPECT_EQ(3, must(session().note_deliveries(
                   self(),
                   {sent[0],
                    {keys[1], 1, OutboxState::kFailed, {}, std::string(2000, 'x')},
                    {keys[2], 1, OutboxState::kWaiting, std::chrono::hours(1), "try \"later\""}})));
  EXPECT_EQ(0, must(session().note_deliveries(self(), sent))) << "once";
  const std::vector<OutboxRow> rows = must(session().outbox(std::nullopt, 100));
  ASSERT_THAT(rows, SizeIs(5));
  EXPECT_EQ(OutboxState::kSent, rows[0].state);
  EXPECT_EQ("250 ok", rows[0].answer);
  EXPECT_EQ(1, rows[0].attempt);
  EXPECT_EQ("hello", rows[0].name);
  EXPECT_EQ(OutboxState::kFailed, rows[1].state);
  EXPECT_EQ(1000U, rows[1].answer.size());
  EXPECT_EQ(OutboxState::kWaiting, rows[2].state);
  EXPECT_EQ("try \"later\"", rows[2].answer);
  EXPECT_GT(rows[2].due, must(session().now()) + std::chrono::minutes(59));
  EXPECT_EQ(OutboxState::kSending, rows[3].state);
  EXPECT_THAT(due_keys(), ElementsAre(keys[4])) << "the one to be tried again is not due yet";
  EXPECT_THAT(must(session().outbox(OutboxState::kFailed, 100)), SizeIs(1));
  EXPECT_THAT(must(session().outbox(std::nullopt, 2)), SizeIs(2));
}

TEST_P(DeliveryTest, ASecondAttemptHasTheNextNumber) {
  ask();
  const std::vector<OutboxKey> keys = due_keys();
  take({keys[0]});
  EXPECT_EQ(1, must(session().note_deliveries(self(), {{keys[0], 1, OutboxState::kWaiting,
                                                        std::chrono::microseconds(-1), "no"}})));
  const std::vector<Delivery> again = take({keys[0]});
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(2, again[0].attempt);
  EXPECT_EQ(0, must(session().note_deliveries(self(), {{keys[0], 1, OutboxState::kSent, {}, ""}})))
      << "the first is over";
  EXPECT_EQ(1, must(session().note_deliveries(self(), {{keys[0], 2, OutboxState::kSent, {}, ""}})));
  Dump dump = database().dump(Times::kNormal);
  EXPECT_THAT(dump.tables["delivery"], SizeIs(2));
}

TEST_P(DeliveryTest, WhatMayHaveBeenSentBeforeAFailOverIsUncertain) {
  ask();
  EXPECT_EQ(0, must(session().hold_deliveries())) << "no fail-over has been";
  const std::vector<OutboxKey> keys = due_keys();
  take({keys[0], keys[1], keys[2]});
  must(session().note_deliveries(self(), {{keys[0], 1, OutboxState::kSent, {}, ""}}));
  must(session().note_deliveries(
      self(), {{keys[1], 1, OutboxState::kWaiting, std::chrono::hours(1), "later"}}));
  // Not due by this clock; by that of a primary that is gone it may have been.
  must(session().note_deliveries(
      self(), {{keys[2], 1, OutboxState::kWaiting, std::chrono::seconds(20), "soon"}}));
  fail_over();
  EXPECT_THAT(take({keys[3]}), IsEmpty()) << "it may have been handed out before";
  EXPECT_EQ(3, must(session().hold_deliveries())) << "not what is due in an hour only";
  EXPECT_EQ(0, must(session().hold_deliveries()));
  EXPECT_EQ((std::map<OutboxState, int>{
                {OutboxState::kWaiting, 1}, {OutboxState::kSent, 1}, {OutboxState::kUncertain, 3}}),
            states());
  EXPECT_THAT(due_keys(), IsEmpty());
}

// A peer that had no answer to its note before the fail-over says it again. By then the delivery
// may have been taken again and sent, in the part that is lost.
TEST_P(DeliveryTest, WhatWasTakenBeforeAFailOverDoesNotWaitAgain) {
  ask();
  const std::vector<OutboxKey> keys = due_keys();
  take({keys[0], keys[1]});
  must(session().give_up_deliveries({self()}));
  take({keys[2], keys[3]});
  fail_over();
  EXPECT_EQ(static_cast<std::int64_t>(keys.size()) - 2, must(session().hold_deliveries()));
  for (const OutboxKey& key : {keys[0], keys[2]}) {
    EXPECT_EQ(0, must(session().note_deliveries(
                     self(), {{key, 1, OutboxState::kWaiting, std::chrono::seconds(1), "busy"}})));
  }
  for (const OutboxKey& key : {keys[1], keys[3]}) {
    EXPECT_EQ(1, must(session().note_deliveries(self(), {{key, 1, OutboxState::kSent, {}, ""}})));
  }
  EXPECT_EQ(2, states()[OutboxState::kSent]);
  EXPECT_EQ(0, states()[OutboxState::kWaiting]);
}

// Of those that have waited for long only the oldest may have been in hand.
TEST_P(DeliveryTest, ALongQueueIsNotHeldWhole) {
  import(150);
  gather();
  const track::ContactBlock block = load_due();
  commit(block, outcome_of(block, fields(), [&](std::size_t) {
           Way way;
           way.path = {1, 0, 7};
           way.state = track::PositionState::kStopped;
           way.acts = {{1, 1, track::ActionKind::kEmail, 5, false}};
           return way;
         }));
  if (database().sql() == nullptr) {
    auto& model = dynamic_cast<model::ModelStore&>(database().store());
    for (auto& [key, action] : model.tables().outbox) {
      action.due_at = action.due_at - std::chrono::hours(1);
    }
    model.fail_over(model.snapshot());
    EXPECT_EQ(kHeldAtLeast, must(session().hold_deliveries()));
    return;
  }
  const bool sqlite = database().kind() == Kind::kSqlite;
  must(database().sql()->execute(std::string("update outbox set due_at = due_at - ") +
                                     (sqlite ? "3600000000" : "interval '1 hour'"),
                                 {}));
  must(database().sql()->execute(
      "update setting set value = '77' where name = 'deliveries_held_in'", {}));
  EXPECT_EQ(kHeldAtLeast, must(session().hold_deliveries()));
}

TEST_P(DeliveryTest, WhatAPeerHadWhenItEndedIsUncertain) {
  ask();
  const std::vector<OutboxKey> keys = due_keys();
  take({keys[0], keys[1]});
  const PeerId q{base::PeerName("q"), base::Incarnation(99)};
  must(session().take_deliveries({keys[2]}, q, std::chrono::minutes(1), {}));
  must(session().take_deliveries({keys[3]}, q, std::chrono::microseconds(-1),
                                 {}));  // past its deadline at once
  EXPECT_EQ(1, must(session().give_up_deliveries({})));
  const PeerId older{q.name, base::Incarnation(98)};
  EXPECT_EQ(0, must(session().give_up_deliveries({older})));
  EXPECT_EQ(1, must(session().give_up_deliveries({older, q})));
  EXPECT_EQ(
      (std::map<OutboxState, int>{
          {OutboxState::kWaiting, 1}, {OutboxState::kSending, 2}, {OutboxState::kUncertain, 2}}),
      states());
  EXPECT_THAT(due_keys(), ElementsAre(keys[4])) << "uncertain is never sent again by itself";
  // The one that had it comes back and knows.
  EXPECT_EQ(1, must(session().note_deliveries(q, {{keys[3], 1, OutboxState::kSent, {}, "late"}})));
  EXPECT_EQ(1, must(session().note_deliveries(self(), {{keys[0], 1, OutboxState::kSent, {}, ""}})));
  const Report report = must(session().report("T"));
  ASSERT_THAT(report.actions, SizeIs(2));
  EXPECT_EQ("hello", report.actions[0].name);
  EXPECT_EQ((std::map<OutboxState, std::int64_t>{
                {OutboxState::kSent, 1 + (keys[3].action_no == 1 ? 1 : 0)},
                {OutboxState::kSending, 1},
                {OutboxState::kUncertain, 1}}),
            report.actions[0].states);
}

// A master that began after the other's end was never told of it.
TEST_P(DeliveryTest, WhatAPeerHadIsUncertainOnceItHasBegunAnew) {
  ask();
  const std::vector<OutboxKey> keys = due_keys();
  const base::PeerName name("q");
  auto first = must(database().store().open_group_session());
  const PeerId q{name, must(first->begin_life(name, ""))};
  auto other = must(database().store().open_group_session());
  const PeerId r{base::PeerName("r"), must(other->begin_life(base::PeerName("r"), ""))};
  must(session().take_deliveries({keys[0]}, q, std::chrono::minutes(1), {}));
  must(session().take_deliveries({keys[1]}, r, std::chrono::minutes(1), {}));
  EXPECT_EQ(0, must(session().give_up_deliveries({})));
  first.reset();
  EXPECT_EQ(0, must(session().give_up_deliveries({})));
  auto second = must(database().store().open_group_session());
  const PeerId again{name, must(second->begin_life(name, ""))};
  must(session().take_deliveries({keys[2]}, again, std::chrono::minutes(1), {}));
  EXPECT_EQ(1, must(session().give_up_deliveries({})));
  EXPECT_EQ(1, must(session().note_deliveries(q, {{keys[0], 1, OutboxState::kSent, {}, "late"}})));
  EXPECT_EQ(1, states()[OutboxState::kSent]);
  EXPECT_EQ(2, states()[OutboxState::kSending]);
}

// Quiet hours: it goes on waiting, and has not been tried.
TEST_P(DeliveryTest, WhatMayNotGoOutYetGoesOnWaiting) {
  ask();
  const std::vector<OutboxKey> keys = due_keys();
  SendRules rules;
  rules.not_before = [&](const Delivery& delivery, base::Instant now) {
    EXPECT_EQ(1U, delivery.values.size());
    return delivery.kind == track::ActionKind::kEmail && std::get<double>(delivery.values[0]) < 3
               ? now + std::chrono::hours(2)
               : now;
  };
  const auto taken =
      must(session().take_deliveries(keys, self(), std::chrono::minutes(1), {kScore}, rules));
  EXPECT_THAT(taken, SizeIs(3));
  EXPECT_THAT(due_keys(), IsEmpty());
  const base::Instant now = must(session().now());
  for (const OutboxRow& row : must(session().outbox(OutboxState::kWaiting, 10))) {
    EXPECT_EQ(0, row.attempt);
    EXPECT_GT(row.due, now + std::chrono::minutes(119));
    EXPECT_LT(row.due, now + std::chrono::minutes(121));
    EXPECT_THAT(row.contact_key, testing::AnyOf("k1", "k2"));
  }
  EXPECT_EQ((std::map<OutboxState, int>{{OutboxState::kWaiting, 2}, {OutboxState::kSending, 3}}),
            states());
  // However long it is, it is looked at again within a day.
  rules.not_before = [](const Delivery&, base::Instant) { return track::kNever; };
  std::vector<OutboxKey> waiting;
  for (const OutboxRow& row : must(session().outbox(OutboxState::kWaiting, 10))) {
    waiting.push_back(row.key);
  }
  EXPECT_THAT(must(session().take_deliveries(waiting, self(), std::chrono::minutes(1), {}, rules)),
              IsEmpty());
  for (const OutboxRow& row : must(session().outbox(OutboxState::kWaiting, 10))) {
    EXPECT_LT(row.due, now + std::chrono::hours(25));
  }
}

class CapTest : public DeliveryTest {
 protected:
  // k1 is sent `emails` e-mails by one move.
  std::vector<OutboxKey> ask_many(int emails) {
    import(1);
    gather();
    const track::ContactBlock block = load_due();
    commit(block, outcome_of(block, fields(), [&](std::size_t) {
             Way way;
             way.path = {1, 0, 2};
             for (int i = 1; i <= emails; ++i) {
               way.acts.push_back(
                   {1, static_cast<std::int16_t>(i), track::ActionKind::kEmail, 5, false});
             }
             way.acts.push_back({1, 99, track::ActionKind::kWebhook, 6, false});
             return way;
           }));
    return due_keys();
  }
  SendRules at_most(std::int64_t count, base::Duration within = std::chrono::hours(1)) {
    SendRules rules;
    rules.cap = [=](base::TrackId, base::Instant now) {
      return SendCap{false, count, now - within};
    };
    return rules;
  }
  std::vector<Delivery> take(const std::vector<OutboxKey>& keys, const SendRules& rules) {
    return must(session().take_deliveries(keys, self(), std::chrono::minutes(1), {}, rules));
  }
};
TURNOUT_STORE_SUITE(CapTest);

TEST_P(CapTest, WhatIsAboveTheCapIsDroppedAndTheEntryHearsOfIt) {
  const std::vector<OutboxKey> keys = ask_many(4);
  const std::vector<Delivery> taken = take(keys, at_most(3));
  ASSERT_THAT(taken, SizeIs(4)) << "webhooks are not counted";
  EXPECT_EQ(track::ActionKind::kWebhook, taken.back().kind);
  EXPECT_EQ((std::map<OutboxState, int>{{OutboxState::kSending, 4}, {OutboxState::kCapped, 1}}),
            states());
  track::ContactBlock block;
  const Reads reads{{}, {}, {}, {"email.capped"}, {"email.capped"}, false};
  must(session().load(track(), {{id("k1"), 1, 1}}, reads, block));
  ASSERT_THAT(block.events.at(0), SizeIs(1));
  EXPECT_TRUE(block.events[0][0].heard);
  EXPECT_EQ(R"({"email":"hello"})", block.events[0][0].properties);
  // Nobody else hears it.
  const auto rows = must(session().events({{id("k1"), 1}}));
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_FALSE(rows[0].event.heard);
}

TEST_P(CapTest, WhatIsBeingSentAndWhatWasSentCounts) {
  const std::vector<OutboxKey> keys = ask_many(4);
  ASSERT_THAT(take({keys[0]}, at_most(2)), SizeIs(1));
  must(session().note_deliveries(self(), {{keys[0], 1, OutboxState::kSent, {}, ""}}));
  ASSERT_THAT(take({keys[1]}, at_most(2)), SizeIs(1)) << "one was sent";
  EXPECT_THAT(take({keys[2]}, at_most(2)), IsEmpty()) << "and one is on its way";
  must(session().note_deliveries(self(), {{keys[1], 1, OutboxState::kFailed, {}, ""}}));
  EXPECT_THAT(take({keys[3]}, at_most(2)), SizeIs(1)) << "which has failed";
  EXPECT_EQ(1, states()[OutboxState::kCapped]);
}

TEST_P(CapTest, WhatWasSentLongerAgoDoesNotCount) {
  const std::vector<OutboxKey> keys = ask_many(2);
  ASSERT_THAT(take({keys[0]}, at_most(1)), SizeIs(1));
  must(session().note_deliveries(self(), {{keys[0], 1, OutboxState::kSent, {}, ""}}));
  EXPECT_THAT(take({keys[1]}, at_most(1, std::chrono::hours(-1))), SizeIs(1));
}

}  // namespace
}  // namespace turnout::store::test
