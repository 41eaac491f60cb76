// sim_run FIRST COUNT [small]   simulates the groups of COUNT seeds from FIRST on: a line of JSON
// for
//                               each. Ends with 1 at the first that breaks a guarantee.
// sim_run FIRST [small]         simulates one, and prints what happened last if it fails.
//
// tests/sim/run.py runs it on all processors and adds up.

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "sim/simulation.h"

namespace {

using turnout::sim::Life;
using turnout::sim::Outcome;

void print(const std::map<std::string, std::int64_t>& numbers) {
  const char* separator = "{";
  for (const auto& [name, number] : numbers) {
    std::cout << separator << '"' << name << "\":" << number;
    separator = ",";
  }
  std::cout << (numbers.empty() ? "{}" : "}");
}

// Names of guarantees and peers: nothing in them needs more.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    out += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  }
  return out + '"';
}

int play(Life life) {
  life.traced = true;
  const Outcome outcome = turnout::sim::simulate(life);
  if (outcome.failure) {
    std::cout << outcome.trace << *outcome.failure << '\n';
  } else {
    std::cout << "no guarantee was broken\n";
  }
  return outcome.failure ? 1 : 0;
}

int play_many(Life life, std::uint64_t count) {
  for (const std::uint64_t end = life.seed + count; life.seed < end; ++life.seed) {
    const Outcome outcome = turnout::sim::simulate(life);
    std::cout << "{\"seed\":" << life.seed << ",\"figures\":";
    print(outcome.figures);
    std::cout << ",\"faults\":";
    print(outcome.faults);
    if (outcome.failure) {
      std::cout << ",\"failure\":" << quoted(*outcome.failure) << "}" << std::endl;
      return 1;
    }
    std::cout << "}" << std::endl;  // at once: should the next seed end the process, it is known
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> args(argv + 1, argv + argc);
  Life life;
  if (!args.empty() && args.back() == "small") {
    life.small = true;
    args.pop_back();
  }
  std::vector<std::uint64_t> numbers;
  for (const std::string& arg : args) {
    char* end = nullptr;
    numbers.push_back(std::strtoull(arg.c_str(), &end, 10));
    if (arg.empty() || *end != '\0') {
      numbers.clear();
      break;
    }
  }
  if (numbers.empty() || numbers.size() > 2) {
    std::cerr << "usage: sim_run FIRST [COUNT] [small]\n";
    return 2;
  }
  life.seed = numbers[0];
  return numbers.size() == 1 ? play(life) : play_many(life, numbers[1]);
}
