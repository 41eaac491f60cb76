// Events on a real database: they gather, move, wake and take off, each once and in order.

#include "work/bench_peer.h"

namespace turnout::test {
namespace {

class EventsTest : public ::testing::Test {
 protected:
  EventsTest() {
    auto session = need(database_.store().open_session());
    EXPECT_TRUE(session->declare_fields({{"score", track::Type::kNumber, "score"}}));
  }
  static void happen(BenchPeer& peer, const std::string& key, const std::string& name,
                     const std::string& properties = "") {
    need(peer.session().record_events({{key, name, properties, "", ""}}));
    peer.engine().poke();
  }
  static std::string waits(BenchPeer& peer, const std::string& key) {
    const auto why = peer.session().why(key);
    if (!why || why.value().positions.empty()) {
      return "nowhere";
    }
    return why.value().positions.back().step;
  }
  Database database_;
};

TEST_F(EventsTest, GatherMoveAndTakeOff) {
  BenchPeer peer(database_.store(), "a");
  add_contacts(peer.session(), 1, 4, 5);
  peer.own(peer.publish(R"(track "Trial"
  gather on "trial.started" where event.plan is "pro"
    start at "Greet"
  leave on "account.closed" as "closed"

step "Greet"
  otherwise:
    send email "welcome"
    go to "Wait"

step "Wait"
  on "project.created" where event.size is at least 2:
    set entry.size to event.size
    go to "Judge"

step "Judge"
  when entry.plan is "pro" and entry.size is 3:
    stop as "active"
)")
               .id);
  for (const char* key : {"c1", "c2", "c3"}) {
    happen(peer, key, "trial.started", R"({"plan":"pro"})");
  }
  happen(peer, "c4", "trial.started", R"({"plan":"free"})");
  ASSERT_TRUE(peer.run_until([&] { return peer.report("Trial").waiting["Wait"] == 3; }));
  happen(peer, "c1", "project.created", R"({"size":1})");
  happen(peer, "c1", "project.created", R"({"size":3})");
  happen(peer, "c2", "account.closed");
  ASSERT_TRUE(peer.run_until([&] {
    return peer.stopped("Trial", "active") == 1 && peer.stopped("Trial", "closed") == 1;
  }));
  const store::Report report = peer.report("Trial");
  EXPECT_EQ(3, report.entered);
  EXPECT_EQ(1, report.waiting.at("Wait"));
  EXPECT_EQ("nowhere", waits(peer, "c4"));
  // Whoever is not known comes with his event.
  happen(peer, "new", "trial.started", R"({"plan":"pro"})");
  EXPECT_TRUE(peer.run_until([&] { return waits(peer, "new") == "Wait"; }));
}

// An event moves a contact once, however many steps hear it; the next one moves it on.
TEST_F(EventsTest, AreHeardOnceAndInOrder) {
  BenchPeer peer(database_.store(), "a");
  add_contacts(peer.session(), 1, 1, 5);
  peer.own(peer.publish(R"(track "Three"
  gather contacts continuously

step "One"
  on "next":
    go to "Two"

step "Two"
  on "next":
    go to "Three"

step "Three"
  on "next":
    stop as "three times"
)")
               .id);
  ASSERT_TRUE(peer.run_until([&] { return waits(peer, "c1") == "One"; }));
  happen(peer, "c1", "next");
  ASSERT_TRUE(peer.run_until([&] { return waits(peer, "c1") == "Two"; }));
  // Two at once are heard one after the other.
  need(peer.session().record_events({{"c1", "next", "", "", ""}, {"c1", "next", "", "", ""}}));
  peer.engine().poke();
  ASSERT_TRUE(peer.run_until([&] { return peer.stopped("Three", "three times") == 1; }));
  EXPECT_EQ(3, peer.report("Three").moves);
}

// `did` finds what came before, and is asked again when another comes.
TEST_F(EventsTest, AreRememberedByDid) {
  BenchPeer peer(database_.store(), "a");
  add_contacts(peer.session(), 1, 2, 5);
  happen(peer, "c1", "order", R"({"value":10})");
  happen(peer, "c1", "order", R"({"value":200})");
  peer.own(peer.publish(R"(track "Buyers"
  gather contacts where did "order" where event.value is more than 5 continuously

step "Judge"
  when did "order" at least 3 times where event.value is more than 100:
    stop as "large"
)")
               .id);
  ASSERT_TRUE(peer.run_until([&] { return waits(peer, "c1") == "Judge"; }));
  EXPECT_EQ("nowhere", waits(peer, "c2"));
  happen(peer, "c2", "order", R"({"value":6})");
  EXPECT_TRUE(peer.run_until([&] { return waits(peer, "c2") == "Judge"; }));
  happen(peer, "c1", "order", R"({"value":300})");
  happen(peer, "c1", "order", R"({"value":400})");
  EXPECT_TRUE(peer.run_until([&] { return peer.stopped("Buyers", "large") == 1; }));
  EXPECT_EQ("Judge", waits(peer, "c2"));
}

// R16: a delayed move is cancelled by an event that the step hears.
TEST_F(EventsTest, CancelADelayedMove) {
  BenchPeer peer(database_.store(), "a");
  add_contacts(peer.session(), 1, 2, 5);
  peer.own(peer.publish(R"(track "Cart"
  gather contacts continuously

step "Start"
  otherwise:
    go to "Remind" after 1 hour

step "Remind"
  on "order.placed":
    stop as "bought"
  otherwise:
    stop as "reminded"
)")
               .id);
  ASSERT_TRUE(peer.run_until([&] { return peer.report("Cart").waiting["Remind"] == 2; }));
  happen(peer, "c2", "order.placed");
  ASSERT_TRUE(peer.run_until([&] { return peer.stopped("Cart", "bought") == 1; }));
  EXPECT_EQ(1, peer.report("Cart").waiting.at("Remind"));
}

TEST_F(EventsTest, TellEntriesApart) {
  BenchPeer peer(database_.store(), "a");
  add_contacts(peer.session(), 1, 1, 5);
  peer.own(peer.publish(R"(track "Carts"
  gather on "cart.filled"
    for each event.cart_id

step "Wait"
  on "cart.paid":
    stop as "paid"
)")
               .id);
  happen(peer, "c1", "cart.filled", R"({"cart_id":"x"})");
  happen(peer, "c1", "cart.filled", R"({"cart_id":"y"})");
  happen(peer, "c1", "cart.filled", R"({"cart_id":"x"})");
  happen(peer, "c1", "cart.filled");
  ASSERT_TRUE(peer.run_until([&] { return peer.report("Carts").waiting["Wait"] == 2; }));
  happen(peer, "c1", "cart.paid", R"({"cart_id":"y"})");
  ASSERT_TRUE(peer.run_until([&] { return peer.stopped("Carts", "paid") == 1; }));
  EXPECT_EQ(2, peer.report("Carts").entered);
  happen(peer, "c1", "cart.paid");
  EXPECT_TRUE(peer.run_until([&] { return peer.stopped("Carts", "paid") == 2; }))
      << "one that lacks the property is for all";
}

// Who owns the track next goes on where the feed was left: no event is lost, none heard twice.
TEST_F(EventsTest, AreHeardByTheNextOwner) {
  BenchPeer first(database_.store(), "a");
  BenchPeer second(database_.store(), "b");
  add_contacts(first.session(), 1, 50, 5);
  const base::TrackId track = first
                                  .publish(R"(track "Clicks"
  gather on "visit"
  enter every time

step "Count"
  otherwise:
    increase score by 1
)")
                                  .id;
  first.own(track);
  const auto all = [&] {
    for (int i = 1; i <= 50; ++i) {
      happen(first, "c" + std::to_string(i), "visit");
    }
  };
  all();
  ASSERT_TRUE(first.run_until([&] { return first.stopped("Clicks", "completed") == 50; }));
  all();
  second.own(track);
  ASSERT_TRUE(second.run_until([&] { return second.stopped("Clicks", "completed") == 100; }));
  // The first looks at the same events again, and can write nothing.
  EXPECT_TRUE(first.run_until([&] { return first.fenced() > 0; }));
  EXPECT_EQ(100, second.report("Clicks").entered);
  EXPECT_EQ(100, second.report("Clicks").moves);
}

// The first owner dies before it comes to what happened between publishing and its beginning.
TEST_F(EventsTest, BeforeTheFirstOwnerAreHeardThoughItDies) {
  BenchPeer peer(database_.store(), "a");
  add_contacts(peer.session(), 1, 3, 5);
  const base::TrackId track = peer.publish(R"(track "Clicks"
  gather on "visit"

step "Count"
  otherwise:
    increase score by 1
)")
                                  .id;
  for (const char* key : {"c1", "c2", "c3"}) {
    happen(peer, key, "visit");
  }
  work::TrackBook book{parse};
  ASSERT_TRUE(book.refresh(peer.session()));
  work::OwnedTrack dead(peer.take(track), book.find(track));
  EXPECT_FALSE(need(dead.begin(peer.session())).fenced);
  peer.own(track);
  EXPECT_TRUE(peer.run_until([&] { return peer.stopped("Clicks", "completed") == 3; }));
}

// An owner that has lost the feed dies before it has tested everybody.
TEST_F(EventsTest, AreHeardByTheNextOwnerWhenTheFeedWasLost) {
  BenchPeer peer(database_.store(), "a");
  add_contacts(peer.session(), 1, 3, 5);
  const base::TrackId track = peer.publish(R"(track "Clicks"
  gather on "visit"
    start at "Count"
  gather contacts where score is at least 50 continuously
    start at "Stop"

step "Count"
  when score is at least 10:
    go to "Stop"

step "Stop"
  otherwise:
    stop
)")
                                  .id;
  work::TrackBook book{parse};
  ASSERT_TRUE(book.refresh(peer.session()));
  {
    BenchPeer first(database_.store(), "b");
    first.own(track);
    happen(first, "c1", "visit");
    ASSERT_TRUE(first.run_until([&] { return first.report("Clicks").waiting["Count"] == 1; }));
  }
  work::OwnedTrack dead(peer.take(track), book.find(track));
  EXPECT_FALSE(need(dead.begin(peer.session())).fenced);
  happen(peer, "c2", "visit");
  add_contacts(peer.session(), 1, 1, 20);
  add_contacts(peer.session(), 3, 3, 80);
  // It notes where the feed goes on, past all these.
  EXPECT_FALSE(need(dead.test_everybody(peer.session())).fenced);
  const store::FeedCursor here = need(peer.session().changes({}, 1)).next;
  EXPECT_FALSE(need(dead.note_feed(peer.session(), here)).fenced);
  peer.own(track);
  EXPECT_TRUE(peer.run_until([&] { return peer.stopped("Clicks", "completed") == 2; }));
  EXPECT_EQ(1, peer.report("Clicks").waiting["Count"]);
}

// A track asks another: what it asks for is recorded when a peer takes it from the outbox, and the
// other's owner carries it out by the rules of its own track.
TEST_F(EventsTest, PutOnOtherTracksAndTakeOffThem) {
  BenchPeer peer(database_.store(), "a");
  add_contacts(peer.session(), 1, 2, 5);
  add_contacts(peer.session(), 3, 3, 80);
  peer.own(peer.publish(R"(track "Sales"
  gather on "never"
  leave when score is at least 50 as "large"

step "Mail"
  otherwise:
    send email "hello"
    go to "Call" after 1 hour

step "Call"
  after 1 hour:
    stop
)")
               .id);
  peer.own(peer.publish(R"(track "Trial"
  gather contacts continuously

step "Ask"
  otherwise:
    put on track "Sales" at "Mail"
    go to "Wait"

step "Wait"
  on "bought":
    take off track "Sales"
    stop as "bought"
)")
               .id);
  // As the master's hand-outs do.
  const auto carry_out = [&] {
    std::vector<store::OutboxKey> keys;
    for (const store::OutboxDue& due : need(peer.session().outbox_due(100))) {
      keys.push_back(due.key);
    }
    const auto taken =
        need(peer.session().take_deliveries(keys, peer.self(), std::chrono::minutes(1), {}));
    std::vector<store::DeliveryResult> results;
    for (const store::Delivery& delivery : taken) {
      EXPECT_EQ(delivery.kind, track::ActionKind::kEmail);
      if (delivery.contact_key != "c2") {
        results.push_back({delivery.key, 1, store::OutboxState::kSent, {}, ""});
      } else {
        results.push_back(
            {delivery.key, 1, store::OutboxState::kWaiting, std::chrono::hours(1), ""});
      }
    }
    need(peer.session().note_deliveries(peer.self(), results));
    peer.engine().poke();
  };
  ASSERT_TRUE(peer.run_until([&] { return peer.report("Trial").waiting["Wait"] == 3; }));
  carry_out();
  ASSERT_TRUE(peer.run_until([&] { return peer.report("Sales").waiting["Call"] == 2; }));
  EXPECT_EQ(peer.report("Sales").entered, 2) << "who would leave at once is not put on";
  carry_out();  // c1 has its e-mail, that of c2 waits for another attempt
  happen(peer, "c2", "bought");
  ASSERT_TRUE(peer.run_until([&] { return peer.stopped("Trial", "bought") == 1; }));
  carry_out();
  ASSERT_TRUE(peer.run_until([&] { return peer.stopped("Sales", "taken off") == 1; }));
  const store::Report report = peer.report("Sales");
  EXPECT_EQ(report.waiting.at("Call"), 1);
  EXPECT_EQ(report.moves, 3);
  ASSERT_EQ(report.actions.size(), 1U);
  EXPECT_EQ(report.actions[0].states.at(store::OutboxState::kWithdrawn), 1);
  // Put on and taken off again before the owner has looked: it does not come back.
  peer.own(peer.publish(R"(track "Both"
  gather on "both"

step "Ask"
  otherwise:
    put on track "Sales"
    take off track "Sales"
)")
               .id);
  add_contacts(peer.session(), 4, 4, 5);
  happen(peer, "c4", "both");
  ASSERT_TRUE(peer.run_until([&] { return peer.stopped("Both", "completed") == 1; }));
  const std::int64_t entered = peer.report("Sales").entered;
  carry_out();
  happen(peer, "c1", "bought");  // looked at after those
  ASSERT_TRUE(peer.run_until([&] { return peer.stopped("Trial", "bought") == 2; }));
  EXPECT_EQ(peer.report("Sales").entered, entered);
  // Nobody else may ask so.
  EXPECT_FALSE(peer.session().record_events({{"c1", "track.take_off", "{}", "", ""}}));
}

}  // namespace
}  // namespace turnout::test
