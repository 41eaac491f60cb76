// bench/welcome5: the engine beside the limit, on WELCOME-5 (bench/README.md).
//
// N contacts that are gathered already go through the five steps until each has stopped, carried by
// one or three `turnout serve` processes with deliveries held. The time runs from the first block
// cut (the earliest journal entry's instant) to the last commit, by the database's clock. Then the
// limit: a plain program that makes the same writes in a database of the same kind, prepared in the
// same way. Prints one JSON line per run, and checks the counts.
//
//   welcome5 --turnout build/release/turnout --database sqlite:DIR | postgresql://… --n 100000
//   --peers 1 --track hops
//            --runs 3 [--keep]

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/time.h"
#include "bench/scratch.h"
#include "bench/welcome5_prepare.h"
#include "store/store.h"
#include "support/welcome5.h"

#ifdef TURNOUT_BENCH_LIMIT
#include "bench/limit.h"
#endif

namespace turnout::bench {
namespace {

struct Arguments {
  std::string turnout;
  std::string database;
  std::int64_t n = 100'000;
  int peers = 1;
  std::string track = "hops";
  int runs = 3;
  std::string cycle = "250ms";
  bool skip_limit = false;
};

// A `turnout serve` process, ended with its object.
class ServerProcess {
 public:
  ServerProcess(const Arguments& arguments, const std::string& url, int number, int peer_port) {
    pid_ = fork();
    if (pid_ == 0) {
      const std::string name = fmt::format("peer{}", number);
      setenv("TURNOUT_NAME", name.c_str(), 1);
      setenv("TURNOUT_DATABASE", url.c_str(), 1);
      setenv("TURNOUT_LISTEN", "127.0.0.1:0", 1);
      setenv("TURNOUT_GROUP_CYCLE", arguments.cycle.c_str(), 1);
      setenv("TURNOUT_DELIVER_THREADS", "0", 1);
      setenv("TURNOUT_LOG_LEVEL", "warn", 1);
      if (arguments.peers > 1) {
        setenv("TURNOUT_GROUP_LISTEN", fmt::format("127.0.0.1:{}", peer_port + number).c_str(), 1);
        setenv("TURNOUT_GROUP_SEEDS",
               fmt::format("127.0.0.1:{},127.0.0.1:{}", peer_port + 1, peer_port + 2).c_str(), 1);
      }
      const int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
      dup2(quiet, STDOUT_FILENO);
      execl(arguments.turnout.c_str(), "turnout", "serve", nullptr);
      _exit(127);
    }
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ServerProcess(ServerProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  ~ServerProcess() {
    if (pid_ > 0) {
      kill(pid_, SIGTERM);
      waitpid(pid_, nullptr, 0);
    }
  }

  // Peak of the proportional set size so far, in kB, taken by calling this often.
  std::int64_t pss_kb() const {
    std::ifstream file(fmt::format("/proc/{}/smaps_rollup", pid_));
    std::string line;
    while (std::getline(file, line)) {
      if (line.starts_with("Pss:")) {
        return std::stoll(line.substr(4));
      }
    }
    return 0;
  }

  bool running() const { return pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) == 0; }

 private:
  pid_t pid_ = -1;
};

struct Run {
  double seconds = 0;
  std::int64_t peak_pss_kb = 0;
};

// Lets the peers work until every move is counted.
Run carry(const Arguments& arguments, const Scratch& scratch, store::Session& session,
          std::int64_t moves) {
  const int port = 20'000 + static_cast<int>(getpid() % 20'000);
  std::vector<ServerProcess> servers;
  for (int i = 1; i <= arguments.peers; ++i) {
    servers.emplace_back(arguments, scratch.url(), i, port);
  }
  Run run;
  std::int64_t done = 0;
  std::int64_t end_us = 0;
  auto pss_at = std::chrono::steady_clock::now();
  const auto patience = std::chrono::steady_clock::now() + std::chrono::minutes(15);
  while (done < moves) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const auto progress = session.progress(kTrackName);
    if (!progress) {
      fail("reading the progress: " + progress.error().message);
    }
    done = progress.value().moves;
    end_us = session.now().value().us;
    const auto now = std::chrono::steady_clock::now();
    if (now - pss_at > std::chrono::milliseconds(500)) {
      pss_at = now;
      for (const ServerProcess& server : servers) {
        run.peak_pss_kb = std::max(run.peak_pss_kb, server.pss_kb());
      }
    }
    if (now > patience || !servers.front().running()) {
      fail(fmt::format("the engine stopped at {} of {} moves", done, moves));
    }
  }
  run.seconds = static_cast<double>(end_us - scratch.first_journal_us()) / 1e6;
  return run;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int run(const Arguments& arguments) {
  const std::string text = arguments.track == "hops" ? welcome5::kHopsTrack : welcome5::kTrack;
  const Scratch prepared(arguments.database, fmt::format("welcome5_{}", getpid()));
  fmt::print(stderr, "preparing {} contacts\n", arguments.n);
  const Prepared facts = prepare(prepared, text, arguments.n);
  std::vector<double> engine;
  std::vector<double> limit;
  std::int64_t pss = 0;
  for (int i = 0; i < arguments.runs; ++i) {
    {
      const Scratch scratch(prepared, fmt::format("welcome5_{}_{}", getpid(), i));
      auto store = scratch.open();
      auto session = store->open_session();
      const Run one = carry(arguments, scratch, *session.value(), facts.expected.moves);
      check_counts(*session.value(), facts.expected);
      engine.push_back(static_cast<double>(facts.expected.moves) / one.seconds);
      pss = std::max(pss, one.peak_pss_kb);
    }
#ifdef TURNOUT_BENCH_LIMIT
    if (!arguments.skip_limit) {
      const Scratch scratch(prepared, fmt::format("welcome5_{}_{}l", getpid(), i));
      const double seconds = run_limit(scratch, facts, arguments.track == "hops");
      limit.push_back(static_cast<double>(facts.expected.moves) / seconds);
    }
#endif
    fmt::print(stderr, "run {}: engine {:.0f} moves/s{}\n", i + 1, engine.back(),
               limit.empty() ? "" : fmt::format(", limit {:.0f} moves/s", limit.back()));
  }
  fmt::print(
      "{{\"bench\":\"welcome5\",\"track\":\"{}\",\"database\":\"{}\",\"n\":{},\"peers\":{},"
      "\"moves\":{},"
      "\"engine_moves_per_s\":{:.0f},\"limit_moves_per_s\":{:.0f},\"ratio\":{:.3f},\"peak_pss_kb\":"
      "{},\"runs\":{}}}\n",
      arguments.track, arguments.database.starts_with("sqlite") ? "sqlite" : "postgresql",
      arguments.n, arguments.peers, facts.expected.moves, median(engine),
      limit.empty() ? 0.0 : median(limit), limit.empty() ? 0.0 : median(engine) / median(limit),
      pss, arguments.runs);
  return 0;
}

}  // namespace
}  // namespace turnout::bench

int main(int argc, char** argv) {
  turnout::bench::Arguments arguments;
  CLI::App app("WELCOME-5: the engine beside the limit");
  app.add_option("--turnout", arguments.turnout, "the program")->required();
  app.add_option("--database", arguments.database, "sqlite:FOLDER or a PostgreSQL URI of a server")
      ->required();
  app.add_option("--n", arguments.n, "contacts");
  app.add_option("--peers", arguments.peers, "1 or 3");
  app.add_option("--track", arguments.track, "hops or whole");
  app.add_option("--runs", arguments.runs, "the median of so many runs");
  app.add_option("--cycle", arguments.cycle, "of the peer group");
  app.add_flag("--skip-limit", arguments.skip_limit, "measure the engine alone");
  CLI11_PARSE(app, argc, argv);
  return turnout::bench::run(arguments);
}
