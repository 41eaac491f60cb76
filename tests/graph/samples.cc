#include "samples.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <random>

#include "lang/parser.h"

namespace turnout::graph {
namespace {

class TextGenerator {
 public:
  TextGenerator(std::uint64_t seed, int steps, int reach)
      : engine_(seed), steps_(steps), reach_(reach) {}

  std::string make() {
    std::string out = "track \"Random\"\n";
    out += one_in(2) ? "  about \"" + words(below(30)) + "\"\n" : "";
    for (int n = below(4); n > 0; --n) {
      out += "  gather contacts where " + condition() + " continuously\n";
      out += one_in(2) ? "    start at \"" + step_near(below(steps_)) + "\"\n" : "";
    }
    out += one_in(3) ? "  hold out 5% as \"" + outcome() + "\" for 30 days\n" : "";
    out += one_in(3) ? "  leave when " + condition() + " as \"" + outcome() + "\"\n" : "";
    out += one_in(3) ? "  quiet from 21:00 to 08:00\n" : "";
    for (int step = 0; step < steps_; ++step) {
      out += "step \"" + name(step) + "\"\n";
      out += one_in(3) ? "  about \"" + words(below(20)) + "\"\n" : "";
      for (int n = one_in(10) ? below(20) : below(5); n > 0; --n) {
        out += rule(step);
      }
    }
    return out;
  }

 private:
  int below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(engine_); }
  bool one_in(int n) { return below(n) == 0; }
  template <class T, std::size_t N>
  T pick(const std::array<T, N>& all) {
    return all.at(static_cast<std::size_t>(below(static_cast<int>(N))));
  }

  std::string words(int count) {
    static constexpr std::array<const char*, 6> kWords = {
        "a", "word", "Donaudampfschifffahrtsgesellschaft", "two words", "<&>", "naïve"};
    std::string out = "w";
    for (; count > 0; --count) {
      out += std::string(" ") + pick(kWords);
    }
    return out;
  }
  static std::string name(int step) { return "Step " + std::to_string(step); }
  std::string step_near(int step) {
    if (one_in(20)) {
      return name(below(steps_ + steps_ / 10 + 1));
    }
    return name(std::clamp(step + below(2 * reach_ + 1) - reach_ / 2, 0, steps_ - 1));
  }
  std::string outcome() {
    return one_in(2) ? "out " + std::to_string(below(1'000)) + words(below(8))
                     : std::string(pick(std::array{"cold", "won", "lost"}));
  }
  std::string condition() {
    std::string out = "a is \"" + words(below(4)) + "\"";
    for (int n = one_in(8) ? below(30) : below(3); n > 0; --n) {
      out += " and score is at least " + std::to_string(below(100));
    }
    return out;
  }
  std::string rule(int step) {
    std::string out = one_in(3) ? "  after 2 days:\n" : "  when " + condition() + ":\n";
    for (int n = below(4); n > 0; --n) {
      out += "    send email \"" + words(below(3)) + "\"\n";
    }
    switch (below(6)) {
      case 0:
        return out + "    stop as \"" + outcome() + "\"\n";
      case 1:
        return out + "    stay\n";
      case 2:
        return out;
      case 3:
        return out + "    go to \"" + step_near(step) + "\"\n";
      case 4:
        return out + "    go to \"" + step_near(step) + "\" after 2 days\n";
      default:
        return out + "    go to \"" + step_near(step) +
               "\" 7 days after due_on at 09:00 on monday\n";
    }
  }

  std::mt19937_64 engine_;
  int steps_;
  int reach_;
};

}  // namespace

Graph graph_of(std::string_view text) {
  const lang::Parsed parsed = lang::parse(text);
  EXPECT_TRUE(parsed.ok()) << lang::render(parsed.diagnostics.front(), "track", text, false);
  return make_graph(parsed.track);
}

Graph graph_of_file(const std::string& path) {
  std::ifstream in(std::string(TURNOUT_SOURCE_DIR) + "/" + path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return graph_of(std::string{std::istreambuf_iterator<char>(in), {}});
}

std::string random_track_text(std::uint64_t seed, int steps, int reach) {
  return TextGenerator(seed, steps, reach).make();
}

}  // namespace turnout::graph
