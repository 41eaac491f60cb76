#pragma once

// Keeps the last events of a simulated group, in words: what happened before a guarantee was
// broken.

#include <cstdint>
#include <deque>
#include <string>

#include "sim/world.h"

namespace turnout::sim {

class Trace : public Observer {
 public:
  explicit Trace(World& world) : world_(world) {}

  void on_notice(const Host& host, const group::Notice& notice) override;
  void on_ask(const Host& host, const std::string& what) override;
  void on_fault(const std::string& what) override;
  void on_send(const Host& host, const PeerName& to, const Message& message) override;

  // What was drawn for the group; then the events, a line each, with the virtual time in ms.
  std::string text() const;

 private:
  struct Line {
    std::uint64_t number = 0;
    std::string text;
  };
  // The block exchange says so much that it would push out what led to it.
  static constexpr std::size_t kKept = 150;
  static constexpr std::size_t kExchangesKept = 100;

  std::string group() const;
  void add(std::deque<Line>& lines, std::size_t kept, const std::string& what);

  World& world_;
  std::uint64_t number_ = 0;
  std::deque<Line> events_;
  std::deque<Line> exchanges_;
};

}  // namespace turnout::sim
