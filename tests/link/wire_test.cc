// Messages to bytes and back; bytes that are no messages.

#include "link/wire.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "link/frame.h"
#include "link/net.h"

namespace turnout::link {
namespace {

using base::Epoch;
using base::Incarnation;
using base::PeerName;
using base::Timeline;
using base::TrackId;
using group::Message;

constexpr std::uint64_t kSeed = 20'261'123;

template <class M>
M back(const M& message) {
  std::string frame;
  if constexpr (std::is_same_v<M, group::Handout> || std::is_same_v<M, Hint>) {
    frame = encode(message);
  } else {
    frame = encode(Message(message));
  }
  FrameReader reader(kMaxBulkFrame);
  reader.feed(frame);
  const auto body = reader.next();
  EXPECT_TRUE(body && body.value());
  auto decoded = decode(*body.value());
  EXPECT_TRUE(decoded) << decoded.error().message;
  if constexpr (std::is_same_v<M, group::Handout> || std::is_same_v<M, Hint>) {
    return std::get<M>(decoded.value());
  } else {
    return std::get<M>(std::get<Message>(decoded.value()));
  }
}

group::Credit some_credit() { return {PeerName("owner"), 3, 77, 5, 6, {7, 8}}; }

TEST(Wire, AnAdvertisementComesBackWhole) {
  group::Advertisement said = test::idle_advertisement("name\xff", 42);
  said.phase = group::PeerPhase::kLeft;
  said.master = true;
  said.master_timeline = Timeline(12);
  said.claims = {{TrackId(3), 2, 11}, {TrackId(9), 0, 0}};
  said.backlog = {{TrackId(3), 1'000, 2}};
  said.credits = {some_credit(), {PeerName("x"), 0, 0, 0, 0, {}}};
  const group::Advertisement heard = back(said);
  EXPECT_EQ(heard.group, said.group);
  EXPECT_EQ(heard.protocol, said.protocol);
  EXPECT_EQ(heard.name, said.name);
  EXPECT_EQ(heard.incarnation, said.incarnation);
  EXPECT_EQ(heard.sequence, said.sequence);
  EXPECT_EQ(heard.cycle, said.cycle);
  EXPECT_EQ(heard.miss_limit, said.miss_limit);
  EXPECT_EQ(heard.address, said.address);
  EXPECT_EQ(heard.phase, said.phase);
  EXPECT_EQ(heard.fit, said.fit);
  EXPECT_EQ(heard.master, said.master);
  EXPECT_EQ(heard.master_name, said.master_name);
  EXPECT_EQ(heard.master_epoch, said.master_epoch);
  EXPECT_EQ(heard.master_timeline, said.master_timeline);
  EXPECT_EQ(heard.owned, said.owned);
  EXPECT_EQ(heard.owned_hash, said.owned_hash);
  EXPECT_EQ(heard.claims, said.claims);
  EXPECT_EQ(heard.catalogue, said.catalogue);
  EXPECT_EQ(heard.last_commit_age, said.last_commit_age);
  EXPECT_EQ(heard.slots, said.slots);
  EXPECT_EQ(heard.deliveries, said.deliveries);
  EXPECT_EQ(heard.backlog, said.backlog);
  EXPECT_EQ(heard.credits, said.credits);
}

// An idle group's traffic is advertisements only; G7 counts on their size.
// docs/group.md: at most 200 bytes for names of up to 16 bytes, whatever the number of tracks.
TEST(Wire, AnIdleAdvertisementHasAtMost200Bytes) {
  const std::string name(16, 'n');
  group::Advertisement said = test::idle_advertisement(name, 1'000'000);
  EXPECT_LE(encode(Message(said)).size(), 200u);
  // A master's, with everything as long as it gets in years: a cycle of a second, 100,000 starts
  // of servers and as many changes of hands, a version of the catalogue per minute.
  said.group = std::string(16, 'g');
  said.address = "[2001:db8:1234:5678:9abc:def0:1234:5678]:65535";
  said.master_name = PeerName(name);
  said.master = true;
  said.incarnation = Incarnation(100'000);
  said.sequence = 315'360'000;
  said.cycle = group::kMaxCycle;
  said.miss_limit = group::kMaxMissLimit;
  said.master_timeline = Timeline(1'000);
  said.master_epoch = Epoch(100'000);
  said.owned = 1'000'000;
  said.owned_hash = std::numeric_limits<std::uint64_t>::max();
  said.catalogue = 5'256'000;
  said.last_commit_age = group::kMaxCycle;
  said.slots = {group::kMaxSlots, group::kMaxSlots};
  said.deliveries = 10'000;
  EXPECT_LE(encode(Message(said)).size(), 200u);
}

TEST(Wire, ListsOfOwnedTracksComeBack) {
  group::OwnedList said{Incarnation(3), 9, {}};
  EXPECT_TRUE(back(said).tracks.empty());
  said.tracks = {{TrackId(0), Timeline(1), Epoch(4)},
                 {TrackId(7), Timeline(1), Epoch(5)},
                 {TrackId(std::numeric_limits<std::int32_t>::max()), Timeline(2), Epoch(6)}};
  EXPECT_EQ(back(said).tracks, said.tracks);
  EXPECT_EQ(back(said).incarnation, said.incarnation);
  EXPECT_EQ(back(said).sequence, 9u);
}

TEST(Wire, SmallMessagesComeBack) {
  EXPECT_EQ(back(group::OwnedRequest{Incarnation(5)}).incarnation, Incarnation(5));
  const auto assign =
      back(group::Assign{Incarnation(1), Epoch(2), TrackId(3), Timeline(4), Epoch(5)});
  EXPECT_EQ(assign.incarnation, Incarnation(1));
  EXPECT_EQ(assign.master_epoch, Epoch(2));
  EXPECT_EQ(assign.track, TrackId(3));
  EXPECT_EQ(assign.timeline, Timeline(4));
  EXPECT_EQ(assign.epoch, Epoch(5));
  const auto cede = back(group::Cede{Incarnation(1), TrackId(3), Timeline(4), Epoch(5)});
  EXPECT_EQ(cede.incarnation, Incarnation(1));
  EXPECT_EQ(cede.track, TrackId(3));
  EXPECT_EQ(cede.timeline, Timeline(4));
  EXPECT_EQ(cede.epoch, Epoch(5));
  const auto grant = back(group::CreditGrant{Incarnation(1), some_credit()});
  EXPECT_EQ(grant.incarnation, Incarnation(1));
  EXPECT_EQ(grant.credit, some_credit());
  group::Refusal refusal;
  refusal.incarnation = Incarnation(1);
  refusal.owner_incarnation = Incarnation(2);
  refusal.block = 3;
  refusal.attempt = 4;
  refusal.track = TrackId(5);
  refusal.owner = PeerName("o");
  refusal.row_incarnation = Incarnation(6);
  refusal.timeline = Timeline(7);
  refusal.epoch = Epoch(8);
  refusal.credit = some_credit();
  const auto refused = back(refusal);
  EXPECT_EQ(refused.incarnation, refusal.incarnation);
  EXPECT_EQ(refused.owner_incarnation, refusal.owner_incarnation);
  EXPECT_EQ(refused.block, refusal.block);
  EXPECT_EQ(refused.attempt, refusal.attempt);
  EXPECT_EQ(refused.track, refusal.track);
  EXPECT_EQ(refused.owner, refusal.owner);
  EXPECT_EQ(refused.row_incarnation, refusal.row_incarnation);
  EXPECT_EQ(refused.timeline, refusal.timeline);
  EXPECT_EQ(refused.epoch, refusal.epoch);
  EXPECT_EQ(refused.credit, refusal.credit);
}

TEST(Wire, BlocksComeBackWhateverTheIds) {
  std::mt19937_64 random(kSeed);
  for (int round = 0; round < 200; ++round) {
    auto block = std::make_shared<group::Block>(*test::block_of(0).block);
    block->kind = round % 2 == 0 ? group::BlockKind::kBulk : group::BlockKind::kSingle;
    block->cut_at = {-1};
    for (std::uint64_t i = random() % 50; i > 0; --i) {
      const auto any = static_cast<std::int64_t>(random());
      block->items.push_back({base::ContactId(round < 100 ? any : any % 100),
                              round % 3 == 0 ? 1 : static_cast<std::int32_t>(random()),
                              round % 5 == 0 ? 2 : static_cast<std::int32_t>(random())});
    }
    group::BlockMessage said = test::block_of(0);
    said.attempt = 3;
    said.backlog = {round, 4};
    said.block = block;
    const group::BlockMessage heard = back(said);
    EXPECT_EQ(heard.incarnation, said.incarnation);
    EXPECT_EQ(heard.session, said.session);
    EXPECT_EQ(heard.serial, said.serial);
    EXPECT_EQ(heard.attempt, said.attempt);
    EXPECT_EQ(heard.backlog, said.backlog);
    EXPECT_EQ(heard.block->id, block->id);
    EXPECT_EQ(heard.block->kind, block->kind);
    EXPECT_EQ(heard.block->track, block->track);
    EXPECT_EQ(heard.block->version, block->version);
    EXPECT_EQ(heard.block->timeline, block->timeline);
    EXPECT_EQ(heard.block->epoch, block->epoch);
    EXPECT_EQ(heard.block->cut_at, block->cut_at);
    EXPECT_EQ(heard.block->items, block->items) << "round " << round << ", seed " << kSeed;
  }
}

TEST(Wire, TwentyThousandContactsTakeTensOfKilobytes) {
  EXPECT_LT(encode(Message(test::block_of(20'000))).size(), 90'000u);
  // Gathered together, as most are: same entry and move number.
  auto block = std::make_shared<group::Block>(*test::block_of(20'000).block);
  for (group::Item& item : block->items) {
    item.entry = 1;
    item.move_no = 1;
  }
  group::BlockMessage message = test::block_of(0);
  message.block = block;
  EXPECT_LT(encode(Message(message)).size(), 21'000u);
}

TEST(Wire, ReportsAndDeliveriesComeBack) {
  group::BlockReport said;
  said.incarnation = Incarnation(1);
  said.owner_incarnation = Incarnation(2);
  said.block = 3;
  said.attempt = 4;
  said.track = TrackId(5);
  said.epoch = Epoch(6);
  said.outcome = group::BlockOutcome::kReturned;
  said.moved = 7;
  said.moves = 8;
  said.actions = std::numeric_limits<std::int64_t>::max();
  said.not_where_said = test::block_of(5).block->items;
  said.more_due = true;
  said.elapsed = std::chrono::milliseconds(90);
  said.credit = some_credit();
  const group::BlockReport heard = back(said);
  EXPECT_EQ(heard.incarnation, said.incarnation);
  EXPECT_EQ(heard.owner_incarnation, said.owner_incarnation);
  EXPECT_EQ(heard.block, said.block);
  EXPECT_EQ(heard.attempt, said.attempt);
  EXPECT_EQ(heard.track, said.track);
  EXPECT_EQ(heard.epoch, said.epoch);
  EXPECT_EQ(heard.outcome, said.outcome);
  EXPECT_EQ(heard.moved, said.moved);
  EXPECT_EQ(heard.moves, said.moves);
  EXPECT_EQ(heard.actions, said.actions);
  EXPECT_EQ(heard.not_where_said, said.not_where_said);
  EXPECT_EQ(heard.more_due, said.more_due);
  EXPECT_EQ(heard.elapsed, said.elapsed);
  EXPECT_EQ(heard.credit, said.credit);

  group::Handout handout{Incarnation(1), Epoch(2), {}};
  EXPECT_TRUE(back(handout).deliveries.empty());
  handout.deliveries = {{TrackId(1), base::ContactId(9), 1, 4, 0},
                        {TrackId(1), base::ContactId(9), 1, 4, 1},
                        {TrackId(2), base::ContactId(3), 2, 1, 0}};
  EXPECT_EQ(back(handout).deliveries, handout.deliveries);
  EXPECT_EQ(back(handout).master_epoch, Epoch(2));

  for (const Hint hint : {Hint{true, false}, Hint{false, true}, Hint{}}) {
    EXPECT_EQ(back(hint), hint);
  }
}

TEST(Wire, TruncatedAndFlippedMessagesNeverCrash) {
  std::mt19937_64 random(kSeed);
  group::Advertisement full = test::idle_advertisement("n", 1);
  full.claims = {{TrackId(3), 2, 11}};
  full.credits = {some_credit()};
  const std::vector<std::string> frames = {encode(Message(full)),
                                           encode(Message(test::block_of(20))),
                                           encode(Addresses{{{PeerName("n"), "host:1"}}})};
  int decoded = 0;
  for (const std::string& frame : frames) {
    const std::string body = frame.substr(kFrameHeader);
    for (std::size_t size = 0; size <= body.size(); ++size) {
      decoded += decode(body.substr(0, size)) ? 1 : 0;
    }
    for (int round = 0; round < 5'000; ++round) {
      std::string broken = body;
      for (std::uint64_t i = 1 + random() % 4; i > 0; --i) {
        broken[random() % broken.size()] = static_cast<char>(random());
      }
      const auto message = decode(broken);
      if (!message) {
        continue;
      }
      ++decoded;
      // What decodes is a message that we could send on.
      if (const auto* said = std::get_if<Message>(&message.value())) {
        if (const auto* said_block = std::get_if<group::BlockMessage>(said)) {
          ASSERT_NE(said_block->block, nullptr);
        }
        EXPECT_TRUE(decode(encode(*said).substr(kFrameHeader))) << "seed " << kSeed;
      }
    }
  }
  EXPECT_GT(decoded, 100);
}

TEST(Wire, ValuesOutOfRangeAreRefused) {
  group::Advertisement said = test::idle_advertisement("n", 1);
  EXPECT_TRUE(decode(encode(Message(said)).substr(kFrameHeader)));
  const auto refused = [](const group::Advertisement& bad) {
    return !decode(encode(Message(bad)).substr(kFrameHeader));
  };
  auto bad = said;
  bad.name = PeerName("");
  EXPECT_TRUE(refused(bad));
  bad = said;
  bad.name = PeerName(std::string(65, 'n'));
  EXPECT_TRUE(refused(bad));
  bad = said;
  bad.cycle = std::chrono::milliseconds(49);
  EXPECT_TRUE(refused(bad));
  bad = said;
  bad.cycle = std::chrono::seconds(121);
  EXPECT_TRUE(refused(bad));
  bad = said;
  bad.miss_limit = group::kMaxMissLimit + 1;
  EXPECT_TRUE(refused(bad));
  bad = said;
  bad.slots.bulk = group::kMaxSlots + 1;
  EXPECT_TRUE(refused(bad));
  bad = said;
  bad.address = std::string(256, 'a');
  EXPECT_TRUE(refused(bad));
}

TEST(Frame, FramesAreCutHoweverTheBytesCome) {
  std::mt19937_64 random(kSeed);
  for (int round = 0; round < 100; ++round) {
    std::string stream;
    std::vector<std::string> bodies;
    for (int i = 0; i < 10; ++i) {
      bodies.emplace_back(1 + random() % 300, static_cast<char>(random()));
      std::string frame(kFrameHeader, '\0');
      frame += bodies.back();
      write_frame_header(frame);
      stream += frame;
    }
    FrameReader reader(300);
    std::vector<std::string> got;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = std::min<std::size_t>(1 + random() % 700, stream.size() - at);
      reader.feed(std::string_view(stream).substr(at, size));
      at += size;
      for (auto next = reader.next(); next && next.value(); next = reader.next()) {
        got.emplace_back(*next.value());
      }
    }
    EXPECT_EQ(got, bodies) << "round " << round << ", seed " << kSeed;
  }
}

TEST(Frame, TheLimitHoldsAtItsEdge) {
  FrameReader reader(256);
  reader.feed(std::string("\0\0\1\0", 4));
  EXPECT_TRUE(reader.next());
  FrameReader over(256);
  over.feed(std::string("\0\0\1\1", 4));
  EXPECT_FALSE(over.next());
  FrameReader empty(256);
  empty.feed(std::string(4, '\0'));
  EXPECT_FALSE(empty.next());
}

}  // namespace
}  // namespace turnout::link
