#include "bench/welcome5_prepare.h"

#include <algorithm>

#include <fmt/format.h>

#include "lang/parser.h"
#include "support/welcome5.h"

namespace turnout::bench {
namespace {

constexpr std::int64_t kBatch = 5'000;

template <class T>
T need(base::Result<T> result) {
  if (!result) {
    fail(result.error().message);
  }
  return std::move(result.value());
}

void need_done(const base::Result<void>& result) {
  if (!result) {
    fail(result.error().message);
  }
}

std::vector<track::Field> fields() {
  std::vector<track::Field> all = welcome5::catalogue().fields;
  std::erase_if(all, [](const track::Field& field) {
    return field.name == "key" || field.name == "created_at" || field.name == "updated_at";
  });
  return all;  // email first, then the declared ones
}

void import(store::Session& session, std::int64_t n) {
  for (std::int64_t from = 1; from <= n; from += kBatch) {
    store::ContactBatch batch;
    batch.fields = fields();
    for (const track::Field& field : batch.fields) {
      batch.columns.emplace_back().type = field.type;
    }
    for (std::int64_t i = from; i <= std::min(n, from + kBatch - 1); ++i) {
      const welcome5::Contact contact = welcome5::contact(static_cast<std::uint32_t>(i));
      batch.key.push_back(fmt::format("user{}", i));
      for (std::size_t k = 0; k < batch.fields.size(); ++k) {
        batch.columns[k].append(welcome5::value(contact, batch.fields[k].name));
      }
    }
    need(session.import_contacts(batch));
  }
}

void gather(store::Store& store, store::Session& session, base::TrackId track,
            base::Version version, std::int32_t step) {
  auto group = need(store.open_group_session());
  const base::PeerName name("prepare");
  const store::PeerId self{name, need(group->begin_life(name, ""))};
  const auto rows = need(group->ledger());
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [&](const store::LedgerRow& r) { return r.track == track; });
  if (row == rows.end()) {
    fail("the track has no row in the ledger");
  }
  const auto taken = need(group->take(track, row->timeline, row->epoch, self, {}));
  const store::Fence fence{track, taken.row.timeline, taken.row.epoch};
  base::ContactId after(0);
  for (bool done = false; !done;) {
    const auto result = need(session.gather(fence, {version, step}, "", {}, after, 20'000));
    after = result.last;
    done = result.done;
  }
  // Where the next owner goes on: it has nothing left to gather.
  need_done(session.set_cursor(fence, fmt::format("gather 1 of version {}", version.get()),
                               fmt::format("done {}", need(session.now()).us)));
  need_done(session.set_cursor(fence, "feed", need(session.changes({}, 1)).next.text));
  need(group->cede(track, taken.row.epoch, self));
}

Expected expect(std::int64_t n) {
  for (const welcome5::Totals& totals : welcome5::kExpected) {
    if (totals.contacts == n) {
      return {totals.moves,
              {{"completed", totals.completed},
               {"no address", totals.no_address},
               {"opted out", totals.opted_out},
               {"low score", totals.low_score}},
              {{"welcome", totals.welcome},
               {"local", totals.local},
               {"sales", totals.sales},
               {"tips", totals.tips}},
              totals.tag_pro};
    }
  }
  fail("the counts are known for 1,000, 100,000 and 1,000,000 contacts");
}

}  // namespace

Prepared prepare(const Scratch& scratch, std::string text, std::int64_t n) {
  const std::size_t quote = text.find('"');
  text.replace(quote, text.find('"', quote + 1) - quote + 1, fmt::format("\"{}\"", kTrackName));
  lang::Parsed parsed = lang::parse(text);
  if (!parsed.ok()) {
    fail("the track cannot be read");
  }
  auto store = scratch.open();
  need_done(store->migrate());
  auto session = need(store->open_session());
  std::vector<track::Field> declared = fields();
  declared.erase(declared.begin());
  need_done(session->declare_fields(declared));
  import(*session, n);
  store::Publish publish;
  publish.track = parsed.track;
  publish.text = text;
  const store::Published published = need(session->publish(publish));
  const track::Numbering numbering = track::extend({}, parsed.track);
  gather(*store, *session, published.id, published.version, numbering.steps.at("Welcome"));
  return {n, published.id, published.version, expect(n)};
}

void check_counts(store::Session& session, const Expected& expected) {
  const store::Report report = need(session.report(kTrackName));
  std::map<std::string, std::int64_t> actions;
  for (const store::ActionCount& action : report.actions) {
    for (const auto& [state, count] : action.states) {
      actions[action.name] += count;
    }
  }
  if (report.moves != expected.moves || report.stopped != expected.outcomes ||
      actions != expected.actions) {
    fail(fmt::format("the counts are wrong: {} moves, {} expected", report.moves, expected.moves));
  }
}

}  // namespace turnout::bench
