#pragma once

// The events of a block's rows that were not looked at yet, each row's in the order of their
// receipt.

#include <cstddef>
#include <vector>

#include "track/block.h"

namespace turnout::decide {

// The block outlives it, and its events stay where they are.
class EventQueue {
 public:
  explicit EventQueue(const track::ContactBlock& block)
      : block_(block), next_(block.events.size()) {
    for (std::size_t row = 0; row < next_.size(); ++row) {
      skip(row);
      if (peek(row) != nullptr) {
        rows_.push_back(row);
      }
    }
  }

  // Rows that had something to hear at the beginning.
  const std::vector<std::size_t>& rows() const { return rows_; }
  // The row's next one that was received by now; null when there is none.
  const track::BlockEvent* peek(std::size_t row) const {
    const track::BlockEvent* const event = at(row);
    return event != nullptr && event->at <= block_.now ? event : nullptr;
  }
  void pop(std::size_t row) {
    ++next_[row];
    skip(row);
  }

 private:
  // Past what it has heard, or is not to hear.
  void skip(std::size_t row) {
    while (at(row) != nullptr && (at(row)->id <= block_.heard[row] || !at(row)->heard)) {
      ++next_[row];
    }
  }
  const track::BlockEvent* at(std::size_t row) const {
    const bool more = row < next_.size() && next_[row] < block_.events[row].size();
    return more ? &block_.events[row][next_[row]] : nullptr;
  }

  const track::ContactBlock& block_;
  std::vector<std::size_t> next_;  // per row: index of the next event
  std::vector<std::size_t> rows_;
};

}  // namespace turnout::decide
