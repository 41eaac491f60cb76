// WELCOME-5 comes out exactly as its table says, whole and hop by hop (R1, R15).

#include <map>

#include "blocks.h"
#include "support/welcome5.h"

namespace turnout::decide {
namespace {

using welcome5::Totals;

// Adds what one block decided to the totals; rows that are not stopped come back.
void count(const TestTrack& track, const track::BlockOutcome& out, Totals& totals) {
  std::vector<std::int64_t> times(out.shapes.size());
  for (const std::int32_t shape : out.shape) {
    ++times[static_cast<std::size_t>(shape)];
  }
  for (std::size_t i = 0; i < out.shapes.size(); ++i) {
    const track::Shape& shape = out.shapes[i];
    totals.moves += shape.moves * times[i];
    if (shape.moves > 0 && shape.state == track::PositionState::kStopped) {
      const std::string outcome = track.numbering.name_of(shape.step);
      totals.completed += outcome == "completed" ? times[i] : 0;
      totals.no_address += outcome == "no address" ? times[i] : 0;
      totals.opted_out += outcome == "opted out" ? times[i] : 0;
      totals.low_score += outcome == "low score" ? times[i] : 0;
    }
    for (const track::Shape::Act& act : shape.acts) {
      const auto is = [&](track::ActionKind kind, const char* name) {
        return track.numbering.actions.at({kind, name}) == act.name ? times[i] : 0;
      };
      totals.welcome += is(track::ActionKind::kEmail, "welcome");
      totals.local += is(track::ActionKind::kEmail, "local");
      totals.tips += is(track::ActionKind::kEmail, "tips");
      totals.sales += is(track::ActionKind::kWebhook, "sales");
    }
    for (const track::Shape::Tag& tag : shape.tags) {
      totals.tag_pro += tag.tag == "pro" && tag.add ? times[i] : 0;
    }
  }
}

Totals run(const char* text, std::uint32_t contacts, std::uint32_t block_size, int& passages) {
  const TestTrack track = test_track(text, welcome5::catalogue());
  const base::Instant now = at("2026-11-01T12:00:00Z");
  Totals totals;
  totals.contacts = contacts;
  passages = 0;
  for (std::uint32_t first = 1; first <= contacts; first += block_size) {
    const std::uint32_t size = std::min(block_size, contacts + 1 - first);
    track::ContactBlock block =
        welcome5::block(first, size, track.program.first_step(), now, track.program.fields(),
                        track.program.tags().size());
    track::BlockOutcome out;
    for (bool more = true; more;) {
      more = false;
      ++passages;
      track.program.run(block, out);
      count(track, out, totals);
      for (std::size_t row = 0; row < block.rows(); ++row) {
        const track::Shape& shape = shape_of(out, row);
        block.step[row] = shape.step;
        block.state[row] = shape.state;
        block.step_at[row] = out.step_at[row];
        block.due_at[row] = out.due_at[row];
        more = more || shape.state != track::PositionState::kStopped;
      }
    }
  }
  return totals;
}

TEST(Welcome5, GeneratesTheContactsOfTheTable) {
  const auto check = [](std::uint32_t i, const char* email, const char* country, const char* plan,
                        std::int64_t signed_up_at, int score) {
    const welcome5::Contact one = welcome5::contact(i);
    EXPECT_EQ(one.email.value_or(""), email);
    EXPECT_STREQ(one.country, country);
    EXPECT_STREQ(one.plan, plan);
    EXPECT_EQ(one.signed_up_at, signed_up_at);
    EXPECT_EQ(one.score, score);
    EXPECT_FALSE(one.opted_out);
  };
  check(1, "user1@example.org", "FR", "pro", 1730063540, 96);
  check(2, "user2@example.org", "NL", "pro", 1701622686, 82);
  check(3, "user3@example.org", "BR", "trial", 1727504405, 77);
}

TEST(Welcome5, R1R15WholeTrackGivesTheTableInOnePassage) {
  int passages = 0;
  EXPECT_TRUE(run(welcome5::kTrack, 1'000, 1'000, passages) == welcome5::kExpected[0]);
  EXPECT_EQ(passages, 1);
  EXPECT_TRUE(run(welcome5::kTrack, 1'000, 7, passages) == welcome5::kExpected[0]);
  EXPECT_TRUE(run(welcome5::kTrack, 100'000, 10'000, passages) == welcome5::kExpected[1]);
}

TEST(Welcome5, R1R15HopByHopGivesTheTableInFivePassages) {
  int passages = 0;
  EXPECT_TRUE(run(welcome5::kHopsTrack, 1'000, 1'000, passages) == welcome5::kExpected[0]);
  EXPECT_EQ(passages, 5);
  EXPECT_TRUE(run(welcome5::kHopsTrack, 1'000, 7, passages) == welcome5::kExpected[0]);
  EXPECT_TRUE(run(welcome5::kHopsTrack, 100'000, 10'000, passages) == welcome5::kExpected[1]);
}

TEST(Welcome5, SaysWhatEachRowSaw) {
  const TestTrack track = test_track(welcome5::kTrack, welcome5::catalogue());
  track::ContactBlock block = welcome5::block(
      1, 3, track.program.first_step(), at("2026-11-01T12:00:00Z"), track.program.fields(), 0);
  track::BlockOutcome out;
  track.program.run(block, out);
  EXPECT_EQ(
      out.seen[0],
      R"({"email":"user1@example.org","opted_out":false,"country":"FR","plan":"pro","score":96})");
  EXPECT_EQ(shape_of(out, 0).path_json, "[1,2,2,0,3,1,4,1,5,0,6]");
  EXPECT_EQ(shape_of(out, 0).moves, 5);
}

}  // namespace
}  // namespace turnout::decide
