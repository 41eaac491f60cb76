// From a track to nodes and edges.

#include "graph/graph.h"

#include <gtest/gtest.h>

#include "samples.h"

namespace turnout::graph {
namespace {

// A line for each edge and for each rule that has none.
std::string told(const Graph& graph) {
  std::string out;
  const auto name = [](const Node& node) {
    const char* const kind = node.kind == NodeKind::kOutcome       ? "="
                             : node.kind == NodeKind::kUnknownStep ? "?"
                                                                   : "";
    return kind + node.name;
  };
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    for (const Edge& edge : graph.edges) {
      if (edge.from == n && !edge.rule) {
        out += name(node) + " -> " + name(graph.nodes[edge.to]) + "\n";
      }
    }
    for (std::size_t r = 0; r < node.rules.size(); ++r) {
      const Rule& rule = node.rules[r];
      out += name(node) + ": " + rule.head;
      for (const std::string& action : rule.actions) {
        out += " | " + action;
      }
      out += rule.wait.empty() ? "" : " (" + rule.wait + ")";
      out += rule.stay.empty() ? "" : " [" + rule.stay + "]";
      for (const Edge& edge : graph.edges) {
        if (edge.from == n && edge.rule == r) {
          out += " -> " + name(graph.nodes[edge.to]);
        }
      }
      out += "\n";
    }
  }
  return out;
}

TEST(GraphTest, TellsAWholeTrack) {
  const Graph graph = graph_of_file("tests/lang/tracks/trial-welcome.track");
  EXPECT_EQ(graph.name, "Trial welcome");
  EXPECT_EQ(graph.about, "Greets people who start a trial and hands the hot ones to sales.");
  EXPECT_EQ(told(graph), R"(gather contacts -> Greet
gather on "form.submitted" -> Hand over
whole track: hold out 5% as "control" (for 30 days) -> =control
whole track: leave when plan is "pro" -> =converted
whole track: leave on "account.closed" -> =closed
Greet: when email is missing -> =no address
Greet: when opted_out -> =opted out
Greet: otherwise | email "welcome" | +tag "trial" (after 2 days at 09:00 on weekdays) -> Nudge
Nudge: on "project.created" where event.size is at least 2 | set stage to "active" -> Hand over
Nudge: when score is at least 40 and country is one of "US", "CA" -> Hand over
Nudge: for 50% as "soft" | email "nudge-soft" -> Wait and see
Nudge: for 50% as "hard" | email "nudge-hard" -> Wait and see
Wait and see: on "project.created" -> Hand over
Wait and see: after 5 days -> =cold
Hand over: otherwise | webhook "sales" | run on "crm" | put on track "Sales follow-up" at "First call" -> =handed over
)");
  EXPECT_EQ(graph.nodes[0].kind, NodeKind::kEntry);
  EXPECT_EQ(graph.nodes[0].about,
            "where plan is \"trial\" and signed_up_at is within the last 14 days");
  EXPECT_EQ(graph.nodes[0].notes, std::vector<std::string>{"every 15 minutes"});
  EXPECT_EQ(graph.nodes[2].kind, NodeKind::kTrackWide);
  EXPECT_EQ(graph.nodes[2].notes,
            (std::vector<std::string>{
                "time zone of timezone or \"America/Chicago\"", "enter again after 90 days",
                "send at most 2 emails per 7 days", "quiet from 21:00 to 08:00"}));
}

TEST(GraphTest, RulesWithoutAMoveGoOn) {
  EXPECT_EQ(told(graph_of(R"(track "T"
    gather from "db" query "select 1" every day at 09:00 for each row.id
    step "A" look up from "db" query "select 2" check every 1 hour
      when a is 1:
      otherwise:
        stop
    test "stands between" given a is 1
    step "B"
      when a is 2:
        stay for 2 days
      when a is 3:
        remove tag "t"
        go to "A" 7 days before entry.due_on
      otherwise:
        stay
      after 1 day:
        increase score by 5
        record event "e" with { "a": 1 }
        take off track "U"
  )")),
            R"(gather from "db" -> A
A: when a is 1 -> B
A: otherwise -> =completed
B: when a is 2 [stay for 2 days]
B: when a is 3 | −tag "t" (7 days before entry.due_on) -> A
B: otherwise [stay]
B: after 1 day | increase score by 5 | event "e" | take off track "U" -> =completed
)");
}

TEST(GraphTest, OneNodePerOutcomeAndPerStepThatIsNot) {
  const Graph graph = graph_of(R"(track "T"
    gather contacts continuously start at "Nowhere"
    leave when gone
    step "A"
      when a is 1:
        go to "Nowhere"
      when a is 2:
        go to "a"
      when a is 3:
        stop as "left"
      when a is 4:
        stop as "A"
  )");
  EXPECT_EQ(told(graph), R"(gather contacts -> ?Nowhere
whole track: leave when gone -> =left
A: when a is 1 -> ?Nowhere
A: when a is 2 -> ?a
A: when a is 3 -> =left
A: when a is 4 -> =A
)");
  EXPECT_EQ(graph.nodes.size(), 7U);
}

TEST(GraphTest, TheFirstOfStepsThatShareAName) {
  const Graph graph = graph_of(R"(track "T"
    step "A" otherwise: stay
    step "A" otherwise: go to "A"
  )");
  ASSERT_EQ(graph.edges.size(), 1U);
  EXPECT_EQ(graph.edges[0].from, 1U);
  EXPECT_EQ(graph.edges[0].to, 0U);
}

TEST(GraphTest, ATrackOfNothingIsAGraphOfNothing) {
  EXPECT_TRUE(graph_of("track \"T\"").nodes.empty());
  EXPECT_EQ(told(graph_of("track \"T\" gather contacts continuously")),
            "gather contacts -> =completed\n");
}

TEST(GraphTest, KeepsTheRuleAsWritten) {
  const Graph graph = graph_of(R"(track "T"
    gather on "e" where event.a is 1
    step "A" when b is 2: call webhook "w" with { "x": b } go to "A" after 1 day)");
  EXPECT_EQ(graph.nodes[0].text, "gather on \"e\" where event.a is 1");
  EXPECT_EQ(graph.nodes[1].rules[0].text,
            "when b is 2:\n  call webhook \"w\" with { \"x\": b }\n  go to \"A\" after 1 day");
}

}  // namespace
}  // namespace turnout::graph
