// What deciding costs: WELCOME-5's conditions per contact and move, in blocks of 10,000 and of 100,
// with and without what is written per row, and comparisons with the time. `items_per_second`
// counts moves (or rows, where nothing moves). And what compiling and checking take.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "decide/compiled.h"
#include "decide/gather.h"
#include "decide/program.h"
#include "decide/select.h"
#include "lang/checker.h"
#include "lang/parser.h"
#include "support/welcome5.h"
#include "track/numbering.h"

namespace turnout::decide {
namespace {

constexpr base::Instant kNow{1'767'225'600'000'000};

CompiledTrack compiled(const char* text) {
  const track::Track track = lang::parse(text).track;
  auto made = compile_track(track, welcome5::catalogue(), track::extend({}, track),
                            base::TrackId(1), base::Version(1));
  if (!made) {
    throw std::runtime_error(made.error().message);
  }
  return std::move(made).value();
}

track::ContactBlock block_for(const CompiledTrack& track, std::uint32_t rows) {
  return welcome5::block(1, rows, track.steps.front().number, kNow, track.columns.fields,
                         track.columns.tags.size());
}

// Everything that a block costs: conditions, ways, `seen`, outcome.
void passage(benchmark::State& state, const char* text) {
  const CompiledTrack track = compiled(text);
  track::ContactBlock block = block_for(track, static_cast<std::uint32_t>(state.range(0)));
  track::BlockOutcome out;
  for (auto _ : state) {
    run_passage(track, block, out);
    benchmark::DoNotOptimize(out);
  }
  std::int64_t moves = 0;
  for (const std::int32_t shape : out.shape) {
    moves += out.shapes[static_cast<std::size_t>(shape)].moves;
  }
  const auto rounds = static_cast<std::int64_t>(state.iterations());
  state.SetItemsProcessed(rounds * moves);
  state.counters["seen_bytes_per_row"] =
      static_cast<double>(out.seen.bytes()) / static_cast<double>(block.rows());
  state.counters["ns_per_row"] =
      benchmark::Counter(static_cast<double>(rounds) * static_cast<double>(block.rows()) * 1e-9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
void BM_Welcome5Passage(benchmark::State& state) { passage(state, welcome5::kTrack); }
void BM_Welcome5Hop(benchmark::State& state) { passage(state, welcome5::kHopsTrack); }
BENCHMARK(BM_Welcome5Passage)->Arg(10'000)->Arg(100);
BENCHMARK(BM_Welcome5Hop)->Arg(10'000)->Arg(100);

// Conditions alone: each step splits what the one before has left, as in a passage.
void BM_Welcome5Conditions(benchmark::State& state) {
  const CompiledTrack track = compiled(welcome5::kTrack);
  const track::ContactBlock block = block_for(track, static_cast<std::uint32_t>(state.range(0)));
  const Rows rows(block, track.columns.zone);
  std::vector<RowNumber> all(block.rows());
  std::vector<RowNumber> current(block.rows());
  std::vector<RowNumber> met(block.rows());
  std::iota(all.begin(), all.end(), 0U);
  std::int64_t moves = 0;
  for (auto _ : state) {
    current = all;
    std::size_t count = all.size();
    for (const CompiledStep& step : track.steps) {
      moves += static_cast<std::int64_t>(count);
      for (const CompiledRule& rule : step.rules) {
        if (rule.head != CompiledRule::Head::kWhen) {
          continue;
        }
        const std::size_t taken =
            split(rule.condition, rows, current.data(), count, met.data(), current.data());
        count -= taken;
        if (rule.move.kind == CompiledMove::Kind::kGo) {
          std::copy_n(met.begin(), taken, current.begin() + static_cast<std::ptrdiff_t>(count));
          count += taken;
        }
      }
    }
    benchmark::DoNotOptimize(count);
  }
  state.SetItemsProcessed(moves);
}
BENCHMARK(BM_Welcome5Conditions)->Arg(10'000)->Arg(100);

// One comparison with the time, calendar arithmetic included; `keep` of a gather clause.
void BM_WithinTheLast(benchmark::State& state) {
  const track::Track track =
      lang::parse(
          "track \"t\"\n  time zone \"Europe/Berlin\"\n"
          "  gather contacts where signed_up_at is within the last 14 days continuously\n"
          "step \"s\"\n  otherwise:\n    stop\n")
          .track;
  auto gathers = compile_gathers(track, welcome5::catalogue(), track::extend({}, track));
  if (!gathers) {
    throw std::runtime_error(gathers.error().message);
  }
  const GatherClause& gather = gathers.value().front();
  track::ContactBlock block =
      welcome5::block(1, static_cast<std::uint32_t>(state.range(0)), 1, kNow, gather.fields(), 0);
  block.now = {1'715'000'000'000'000};
  std::vector<std::uint8_t> kept;
  for (auto _ : state) {
    gather.keep(block, kept);
    benchmark::DoNotOptimize(kept);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(BM_WithinTheLast)->Arg(10'000);

std::string large_track(int steps, int rules) {
  std::string text = "track \"Large\"\n  gather contacts continuously\n";
  for (int step = 0; step < steps; ++step) {
    text += "\nstep \"S" + std::to_string(step) + "\"\n";
    for (int rule = 0; rule < rules; ++rule) {
      text += "  when country is one of \"DE\", \"AT\", \"" + std::to_string(rule) +
              "\" and score is at least " + std::to_string(rule) + ":\n    send email \"m" +
              std::to_string(rule) + "\"\n    set plan to \"p" + std::to_string(step) + "\"\n";
    }
    text += "  otherwise:\n    send email \"m\"\n";
  }
  return text;
}

// From the parsed text to what runs.
void BM_Compile200Rules(benchmark::State& state) {
  const track::Track track = lang::parse(large_track(20, 9)).track;  // and 20 `otherwise`
  const track::Numbering numbering = track::extend({}, track);
  for (auto _ : state) {
    auto program = Program::compile(track, welcome5::catalogue(), numbering, base::TrackId(1),
                                    base::Version(1));
    auto gathers = compile_gathers(track, welcome5::catalogue(), numbering);
    if (!program || !gathers) {
      state.SkipWithError("does not compile");
    }
    benchmark::DoNotOptimize(program);
  }
}
BENCHMARK(BM_Compile200Rules)->Unit(benchmark::kMillisecond);

// What `turnout check` does with a file once it is read.
void BM_Check5000Steps(benchmark::State& state) {
  const std::string text = large_track(5'000, 1);
  for (auto _ : state) {
    const lang::Analysis analysis = lang::analyse(text, welcome5::catalogue());
    if (!analysis.ok()) {
      state.SkipWithError("is not right");
    }
    benchmark::DoNotOptimize(analysis);
  }
}
BENCHMARK(BM_Check5000Steps)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace turnout::decide
