// Schedules against an independent calculation: schedules.py works out with Python's calendar when
// moves are due and rules and gatherings come round, around all changes of the clocks of ten zones
// in 30 years.

#include <cstdio>
#include <memory>
#include <set>
#include <sstream>

#include "blocks.h"
#include "decide/gather.h"

namespace turnout::decide {
namespace {

struct Case {
  std::string schedule;
  std::string zone;
  base::Instant now;
  base::Instant answer;
};

std::vector<Case> cases() {
  std::FILE* const out =
      popen("/usr/bin/python3 " TURNOUT_SOURCE "/tests/decide/schedules.py --nows 200", "r");
  std::vector<Case> all;
  std::string line;
  for (int c = std::fgetc(out); c != EOF; c = std::fgetc(out)) {
    if (c != '\n') {
      line += static_cast<char>(c);
      continue;
    }
    std::istringstream fields(line);
    Case one;
    std::getline(fields, one.schedule, '\t');
    std::getline(fields, one.zone, '\t');
    fields >> one.now.us >> one.answer.us;
    all.push_back(std::move(one));
    line.clear();
  }
  EXPECT_EQ(pclose(out), 0);
  return all;
}

// What the engine says, by a track for each schedule and zone.
class Engine {
 public:
  base::Instant answer(const Case& one) {
    const std::string head = "track \"t\"\n  time zone \"" + one.zone + "\"\n";
    if (one.schedule.starts_with("gather ")) {
      return gather(one.schedule + one.zone, head + "gather contacts" + one.schedule.substr(6) +
                                                 "\nstep \"A\"\n  otherwise:\n    stop\n")
          .next_run(one.now, one.now);
    }
    const bool moves = one.schedule.starts_with("go ");
    const std::string rule =
        moves ? "otherwise:\n    " + one.schedule : one.schedule + ":\n    stay";
    TestRow row;
    row.step_at = one.now;
    row.due_at = one.now;
    row.values = {{"born_on", base::parse_date("2000-02-29").value()},
                  {"seen_at", at("2011-03-13T08:30:15.25Z")}};
    const auto [made, fresh] = tracks_.try_emplace(one.schedule + one.zone);
    if (fresh) {
      made->second = std::make_unique<TestTrack>(
          test_track(head + "step \"A\"\n  " + rule + "\nstep \"B\"\n  otherwise:\n    stop\n",
                     test_catalogue()));
    }
    return made->second->run(one.now, {row}).due_at[0];
  }

 private:
  const GatherClause& gather(const std::string& key, const std::string& text) {
    auto found = gathers_.find(key);
    if (found == gathers_.end()) {
      const track::Track track = parsed(text);
      auto made = compile_gathers(track, test_catalogue(), track::extend({}, track));
      EXPECT_TRUE(made.has_value()) << made.error().message;
      found = gathers_.emplace(key, std::move(made).value()).first;
    }
    return found->second.front();
  }

  std::map<std::string, std::unique_ptr<TestTrack>> tracks_;
  std::map<std::string, std::vector<GatherClause>> gathers_;
};

TEST(Schedules, R16AgreeWithAnIndependentCalculation) {
  Engine engine;
  const std::vector<Case> all = cases();
  ASSERT_GT(all.size(), 50'000u);
  int wrong = 0;
  std::set<std::string> zones;
  for (const Case& one : all) {
    zones.insert(one.zone);
    const base::Instant answer = engine.answer(one);
    if (answer != one.answer && ++wrong <= 10) {
      ADD_FAILURE() << one.schedule << " in " << one.zone << " at " << base::format_instant(one.now)
                    << ": " << base::format_instant(answer) << ", but Python says "
                    << base::format_instant(one.answer);
    }
  }
  EXPECT_EQ(wrong, 0) << "of " << all.size();
  EXPECT_EQ(zones.size(), 10u);
}

}  // namespace
}  // namespace turnout::decide
