#pragma once

// The ways that rows of a block go in one passage, as a tree: a node is the way of its parent and
// one rule more. Rows that went the same way stand at the same node, and so share one Shape.

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "decide/compiled.h"
#include "decide/effects.h"
#include "decide/select.h"
#include "track/block.h"

namespace turnout::decide {

class Ways {
 public:
  Ways(const CompiledTrack& compiled, std::size_t rows);

  // The row begins here, in this state if it does not move.
  void start(std::size_t row, std::int32_t step, track::PositionState state);
  // The rows fire a rule (see CompiledTrack::rule). The greatest number of moves that one of them
  // has made now.
  int extend(std::size_t step, std::int32_t rule, const RowNumber* selection, std::size_t count);
  // Moves that the row has made.
  int moves(std::size_t row) const { return nodes_[node_[row]].moves; }

  // Fills in shapes, shape, seen and payload.
  void finish(const Rows& rows, const Payloads& payloads, track::BlockOutcome& out) const;

 private:
  struct Node {
    std::uint32_t parent = 0;
    int moves = 0;
    std::size_t step = 0;  // index; of a root: unused
    std::int32_t rule = 0;
    std::int32_t number = 0;  // of a root: number of the step, and state
    track::PositionState state = track::PositionState::kOpen;
  };
  // One field of `seen`, with what stands before its value.
  struct Seen {
    std::size_t field = 0;
    std::string key;
  };
  struct Key {
    std::uint32_t parent = 0;
    std::uint32_t step = 0;
    std::int32_t rule = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };

  track::Shape shape_of(std::uint32_t node) const;
  std::vector<Seen> seen_of(std::uint32_t node) const;

  const CompiledTrack& compiled_;
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> node_;  // per row
  std::unordered_map<Key, std::uint32_t, KeyHash> children_;
  // The child of each node by the rule being fired, good where its stamp is that of the call.
  std::vector<std::uint32_t> child_;
  std::vector<std::uint32_t> stamp_;
  std::uint32_t call_ = 0;
};

}  // namespace turnout::decide
