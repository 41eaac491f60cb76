#include "bench/limit.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/welcome5_outcomes.h"
#include "store/store.h"

namespace turnout::bench {

namespace {

constexpr std::int64_t kHopUs = 1'000'000;  // from one hop's due time to the next

// Where each contact stands while the outcomes are computed.
struct Standing {
  std::int64_t contact = 0;
  std::int32_t step = 0;
  std::int32_t move_no = 0;
  std::int64_t due = 0;
};

LimitBlock make_block(const track::Numbering& numbering, Form form, const Standing* first,
                      std::size_t count, std::int64_t now) {
  track::ContactBlock read;
  LimitBlock block;
  read.now = base::Instant{now};
  block.now = now;
  for (const Standing* s = first; s != first + count; ++s) {
    read.contact.emplace_back(s->contact);
    read.step.push_back(s->step);
    block.contact.push_back(s->contact);
    block.move_no.push_back(s->move_no);
    block.old_due.push_back(s->due);
  }
  block.outcome = welcome5_outcome(numbering, form, read);
  return block;
}

// Everything for contacts `first` … `last`, hop after hop.
LimitWork make_work(const Prepared& prepared, const track::Numbering& numbering, Form form,
                    const std::vector<std::int64_t>& due, std::int64_t first, std::int64_t last) {
  LimitWork work;
  work.track = prepared.track.get();
  work.version = prepared.version.get();
  std::vector<Standing> standing;
  std::int64_t now = 0;
  for (std::int64_t id = first; id <= last; ++id) {
    standing.push_back({id, numbering.steps.at("Welcome"), 0, due[static_cast<std::size_t>(id)]});
    now = std::max(now, standing.back().due);
  }
  while (!standing.empty()) {
    now += kHopUs;
    std::vector<Standing> next;
    for (std::size_t begin = 0; begin < standing.size(); begin += kLimitBlock) {
      const std::size_t count = std::min(kLimitBlock, standing.size() - begin);
      work.blocks.push_back(make_block(numbering, form, standing.data() + begin, count, now));
      const LimitBlock& block = work.blocks.back();
      for (std::size_t row = 0; row < count; ++row) {
        const track::Shape& shape = work.shape(block, row);
        if (shape.state != track::PositionState::kStopped) {
          next.push_back({block.contact[row], shape.step, block.move_no[row] + shape.moves, now});
        }
      }
    }
    standing = std::move(next);
  }
  return work;
}

track::Numbering numbering_of(store::Session& session, const Prepared& prepared) {
  auto version = session.track_version(kTrackName, prepared.version);
  if (!version) {
    fail(version.error().message);
  }
  return version.value().numbering;
}

}  // namespace

double run_limit(const Scratch& scratch, const Prepared& prepared, bool hops) {
  const Form form = hops ? Form::kHops : Form::kWhole;
  const std::int32_t track = prepared.track.get();
  const auto store = scratch.open();
  track::Numbering numbering;
  {
    const auto session = store->open_session();
    if (!session) {
      fail(session.error().message);
    }
    numbering = numbering_of(*session.value(), prepared);
  }
  double seconds = 0;
  std::int64_t tags = 0;
  if (scratch.is_sqlite()) {
    const auto due = read_due_sqlite(scratch.path(), track, prepared.n);
    seconds =
        limit_sqlite(scratch.path(), make_work(prepared, numbering, form, due, 1, prepared.n));
    tags = count_tags_sqlite(scratch.path());
  } else {
    const auto due = read_due_postgres(scratch.url(), track, prepared.n);
    std::vector<LimitWork> work;
    for (int k = 0; k < kLimitConnections; ++k) {
      work.push_back(make_work(prepared, numbering, form, due,
                               prepared.n * k / kLimitConnections + 1,
                               prepared.n * (k + 1) / kLimitConnections));
    }
    seconds = limit_postgres(scratch.url(), work);
    tags = count_tags_postgres(scratch.url());
  }
  const auto session = store->open_session();
  if (!session) {
    fail(session.error().message);
  }
  check_counts(*session.value(), prepared.expected);
  if (tags != prepared.expected.tag_pro) {
    fail(fmt::format("{} contacts have a tag, {} should", tags, prepared.expected.tag_pro));
  }
  return seconds;
}

}  // namespace turnout::bench
