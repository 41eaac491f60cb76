#pragma once

// What a picture of a track shows: steps, entries and outcomes as nodes, moves as edges. Made from
// the syntax tree alone, so any track that parses has a graph, whether this version runs it or not.
// A rule is the label at the root of its edge: what it asks, what it does, how long its move waits.
//
// Plain data; no I/O. The browser's picture is to be made from the same graph.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "track/track.h"

namespace turnout::graph {

enum class NodeKind {
  kEntry,        // a `gather` clause
  kTrackWide,    // what holds on all steps: `leave`, `hold out`, caps, quiet hours
  kStep,         //
  kOutcome,      // where contacts stop; one node per name
  kUnknownStep,  // named by a move or a `gather`, but there is none: one node per name
};

// A rule; of the node kTrackWide, a `leave` or `hold out` clause.
struct Rule {
  std::string head;                  // `when score is at least 40`
  std::vector<std::string> actions;  // shortened: `email "welcome"`, `+tag "trial"`
  std::string wait;                  // of a delayed move: `after 2 days`; else empty
  std::string stay;                  // `stay for 2 days` where it does not leave the step
  std::string text;                  // all of it as written, in lines
};

struct Node {
  NodeKind kind = NodeKind::kStep;
  std::string name;
  std::string about;               // of an entry, whom it gathers: `where plan is "trial"`
  std::vector<std::string> notes;  // `look up from "billing"`, `check every 1 hour`
  std::vector<Rule> rules;         // in file order
  std::string text;                // an entry as written, in lines; else empty
};

// A rule has one edge, unless it stays.
struct Edge {
  std::size_t from = 0;             // index in `nodes`
  std::optional<std::size_t> rule;  // index in the rules of `from`; none from an entry
  std::size_t to = 0;               // index in `nodes`
};

struct Graph {
  std::string name;
  std::string about;
  std::vector<Node> nodes;  // entries, kTrackWide if needed, steps in file order, then the others
  std::vector<Edge> edges;  // by `from`, then by rule
};

// The graph of a track. A rule without a move goes on to the next step in file order, after the
// last to the outcome "completed"; so does a gather without `start at` to the first step. Of steps
// that share a name the first is meant. Linear but for the look-up of names. Thread-safe.
Graph make_graph(const track::Track& track);

}  // namespace turnout::graph
