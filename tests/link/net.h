#pragma once

// Links on real sockets of this machine, with what they reported.

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "group/message.h"
#include "link/link.h"

namespace turnout::link::test {

inline constexpr std::chrono::seconds kDeadline{20};

// Runs the io_context until the condition holds. False if it does not within the deadline.
bool run_until(boost::asio::io_context& io, const std::function<bool()>& condition,
               std::chrono::milliseconds deadline = kDeadline);

struct Received {
  base::PeerName from;
  group::Message message;
};

// A link whose callbacks are noted.
struct Node {
  Node(boost::asio::io_context& io, const std::string& name,
       const std::function<void(Options&)>& change = {});

  void start();  // expects that it works
  std::string address() const { return link->addresses().front(); }
  bool sees(const std::string& name) const { return up.count(name) != 0; }
  std::size_t ups() const { return up_count; }

  Options options;
  std::unique_ptr<Link> link;
  std::map<std::string, PeerInfo> up;
  std::size_t up_count = 0;
  std::vector<std::pair<std::string, Down>> downs;
  std::vector<Received> received;
  std::vector<group::Handout> handouts;
  std::vector<Hint> hints;
  std::vector<Refused> refused;
  std::function<void(const Received&)> on_received;
};

// Runs until the two have a session, by both accounts.
bool meet(boost::asio::io_context& io, const Node& a, const Node& b);

// An advertisement as an idle member sends it.
group::Advertisement idle_advertisement(const std::string& name, std::uint64_t sequence);

// A block of as many contacts, about one in three of those there are.
group::BlockMessage block_of(std::int32_t contacts);

}  // namespace turnout::link::test
