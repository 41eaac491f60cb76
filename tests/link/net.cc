#include "link/net.h"

#include <gtest/gtest.h>

namespace turnout::link::test {

bool run_until(boost::asio::io_context& io, const std::function<bool()>& condition,
               std::chrono::milliseconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) {
      return false;
    }
    io.restart();
    io.run_one_for(std::chrono::milliseconds(20));
  }
  return true;
}

Node::Node(boost::asio::io_context& io, const std::string& name,
           const std::function<void(Options&)>& change) {
  options.group = "g";
  options.name = base::PeerName(name);
  options.incarnation = base::Incarnation(1);
  options.listen = {"127.0.0.1:0"};
  options.min_redial = std::chrono::milliseconds(10);
  options.max_redial = std::chrono::milliseconds(100);
  if (change) {
    change(options);
  }
  Callbacks callbacks;
  callbacks.on_up = [this](const PeerInfo& info) {
    EXPECT_EQ(up.count(info.name.get()), 0u) << "on_up twice without on_down";
    up[info.name.get()] = info;
    ++up_count;
  };
  callbacks.on_down = [this](const base::PeerName& peer, const Down& down) {
    EXPECT_EQ(up.erase(peer.get()), 1u) << "on_down without on_up";
    downs.emplace_back(peer.get(), down);
  };
  callbacks.on_message = [this](const base::PeerName& peer, group::Message message) {
    received.push_back({peer, std::move(message)});
    if (on_received) {
      on_received(received.back());
    }
  };
  callbacks.on_handout = [this](const base::PeerName&, group::Handout handout) {
    handouts.push_back(std::move(handout));
  };
  callbacks.on_hint = [this](const Hint& hint) { hints.push_back(hint); };
  callbacks.on_refused = [this](const Refused& what) { refused.push_back(what); };
  link = std::make_unique<Link>(io, options, std::move(callbacks));
}

void Node::start() {
  const auto started = link->start();
  ASSERT_TRUE(started) << started.error().message;
}

bool meet(boost::asio::io_context& io, const Node& a, const Node& b) {
  return run_until(io,
                   [&] { return a.sees(b.options.name.get()) && b.sees(a.options.name.get()); });
}

group::Advertisement idle_advertisement(const std::string& name, std::uint64_t sequence) {
  group::Advertisement advertisement;
  advertisement.group = "production";
  advertisement.name = base::PeerName(name);
  advertisement.incarnation = base::Incarnation(123'456'789);
  advertisement.sequence = sequence;
  advertisement.cycle = std::chrono::seconds(1);
  advertisement.miss_limit = 4;
  advertisement.address = "server-17.example.net:7460";
  advertisement.phase = group::PeerPhase::kMember;
  advertisement.fit = true;
  advertisement.master_name = base::PeerName("peer-00000000001");
  advertisement.master_timeline = base::Timeline(3);
  advertisement.master_epoch = base::Epoch(1'000'000);
  advertisement.owned = 1'000;
  advertisement.owned_hash = 0xfedcba9876543210ULL;
  advertisement.catalogue = 1'000'000;
  advertisement.last_commit_age = std::chrono::milliseconds(999);
  advertisement.slots = {16, 4};
  advertisement.deliveries = 200;
  return advertisement;
}

group::BlockMessage block_of(std::int32_t contacts) {
  auto block = std::make_shared<group::Block>();
  block->id = 77;
  block->track = base::TrackId(3);
  block->version = base::Version(12);
  block->timeline = base::Timeline(1);
  block->epoch = base::Epoch(42);
  block->cut_at = {1'790'000'000'000'000};
  for (std::int32_t i = 0; i < contacts; ++i) {
    block->items.push_back({base::ContactId(1'000'000 + i * 3 + i % 2), 1 + i % 2, 5 + i % 7});
  }
  group::BlockMessage message;
  message.incarnation = base::Incarnation(9);
  message.session = 4;
  message.serial = 2;
  message.block = std::move(block);
  return message;
}

}  // namespace turnout::link::test
