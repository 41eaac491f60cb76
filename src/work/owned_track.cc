#include "work/owned_track.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

namespace turnout::work {
namespace {

constexpr const char* kFeed = "feed";
constexpr int kCatchUpBatch = 5'000;

decide::SqlCondition condition(const store::Session& session, const decide::GatherClause& clause,
                               base::Instant now) {
  const store::ConditionStyle style = session.condition_style();
  return clause.sql(style.postgres ? decide::Dialect::kPostgres : decide::Dialect::kSqlite, now,
                    style.first_parameter);
}

std::int64_t number_in(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// The name by which a change tells of it.
const std::string& name_of(const track::Field& field) { return field.name; }
const std::string& name_of(const std::string& tag) { return tag; }
const std::string& name_of(const track::OtherPlace& place) { return place.track; }

template <class Wanted>
std::vector<std::size_t> indices_of(const std::vector<std::string>& names,
                                    const std::vector<Wanted>& wanted) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (std::find(names.begin(), names.end(), name_of(wanted[i])) != names.end()) {
      found.push_back(i);
    }
  }
  return found;
}

// What of that which `reader` reads a change tells of.
template <class Reader>
decide::Facts facts_of(const store::Change& change, const Reader& reader) {
  return {indices_of(change.fields, reader.fields()), indices_of(change.tags, reader.tags()),
          indices_of(change.places, reader.places())};
}

// Whether one of the events is among those that the change tells of.
bool happened(const store::Change& change, const std::set<std::string>& events) {
  return std::any_of(change.events.begin(), change.events.end(),
                     [&](const auto& event) { return events.contains(event.first); });
}

void add(StepResult& sum, const StepResult& one) {
  sum.made_due = sum.made_due || one.made_due;
  sum.more = sum.more || one.more;
  sum.fenced = sum.fenced || one.fenced;
}

bool is_continuous(const decide::GatherClause& clause) {
  return std::holds_alternative<decide::GatherClause::Continuous>(clause.when());
}

}  // namespace

base::Result<StepResult> OwnedTrack::write_cursor(store::Session& session, const std::string& name,
                                                  const std::string& text) {
  auto written = session.set_cursor(fence_, name, text);
  if (!written && written.error().code == base::ErrorCode::kConflict) {
    return StepResult{.fenced = true};
  }
  TRYV(std::move(written));
  return StepResult{};
}

base::Result<StepResult> OwnedTrack::note_feed(store::Session& session,
                                               const store::FeedCursor& cursor) {
  TRY(note_.at, session.now());
  note_.cursor = cursor.text;
  return note_progress(session);
}

base::Result<StepResult> OwnedTrack::note_progress(store::Session& session) {
  return write_cursor(session, kFeed, note_.text());
}

base::Result<StepResult> OwnedTrack::test_everybody(store::Session& session) {
  note_.lose_feed();
  TRY(const base::Instant now, session.now());
  StepResult sum;
  for (Clause& clause : clauses_) {
    if (!is_continuous(*clause.gather)) {
      continue;
    }
    clause.scanning = base::ContactId(0);
    clause.run_began = now;
    TRY(const StepResult noted, write_scan(session, clause));
    add(sum, noted);
  }
  return sum;
}

base::Result<void> OwnedTrack::read_clauses(store::Session& session) {
  clauses_.clear();
  const auto& gathers = *entry_->gathers;
  for (std::size_t i = 0; i < gathers.size(); ++i) {
    Clause clause;
    clause.gather = &gathers[i];
    clause.reads = &entry_->gather_reads[i];
    clause.name = fmt::format("gather {} of version {}", i + 1, entry_->published.version.get());
    TRY(const std::optional<std::string> text, session.cursor(fence_.track, clause.name));
    if (text && text->starts_with("done ")) {
      clause.last_run = base::Instant{number_in(text->substr(5))};
    } else if (text && text->starts_with("scan ")) {
      const std::size_t space = text->find(' ', 5);
      clause.run_began = base::Instant{number_in(text->substr(5))};
      clause.scanning =
          base::ContactId(space == std::string::npos ? 0 : number_in(text->substr(space + 1)));
    }
    clauses_.push_back(std::move(clause));
  }
  return base::ok();
}

base::Result<StepResult> OwnedTrack::begin(store::Session& session) {
  StepResult sum;
  TRYV(read_clauses(session));
  TRY(const std::optional<std::string> rescheduled,
      session.cursor(fence_.track, store::kReschedule));
  if (rescheduled && !rescheduled->empty()) {
    const std::string_view text = *rescheduled;
    rescheduling_ = {base::ContactId(number_in(text)),
                     static_cast<std::int32_t>(number_in(text.substr(text.find(' ') + 1)))};
  }
  TRY(const std::optional<std::string> stored, session.cursor(fence_.track, kFeed));
  store::FeedCursor cursor;
  if (stored) {
    note_ = FeedNote::parse(*stored);
    cursor.text = note_.cursor;
    while (true) {
      TRY(store::FeedBatch batch, session.changes(cursor, kCatchUpBatch));
      if (batch.lost) {
        TRY(const StepResult looked, test_everybody(session));
        add(sum, looked);
      }
      TRY(const StepResult one, changed(session, batch.changes));
      add(sum, one);
      if (sum.fenced) {
        return sum;
      }
      cursor = std::move(batch.next);
      if (!batch.more) {
        break;
      }
    }
  } else {
    note_.regathering = Regathering{entry_->published.created_at, {}};
    // Before the first look at all contacts, so that what changes during it is not missed.
    TRY(store::FeedBatch batch, session.changes({}, 1));
    cursor = std::move(batch.next);
  }
  TRY(const StepResult noted, note_feed(session, cursor));
  add(sum, noted);
  begun_ = !sum.fenced;
  return sum;
}

store::Entrance OwnedTrack::entrance(const decide::GatherClause& clause, base::Instant now) const {
  return {entry_->published.version, clause.start_step(), clause.may_have_stopped_by(now)};
}

base::Result<store::GatherResult> OwnedTrack::take(store::Session& session, const Clause& clause,
                                                   base::Instant now,
                                                   std::vector<base::ContactId> contacts) {
  const decide::GatherClause& gather = *clause.gather;
  const decide::SqlCondition where = condition(session, gather, now);
  if (!where.exact) {
    TRY(track::ContactBlock block, session.load_these(contacts, *clause.reads));
    std::vector<std::uint8_t> kept;
    block.now = now;
    gather.keep(block, kept);
    contacts.clear();
    for (std::size_t row = 0; row < block.rows(); ++row) {
      if (kept[row] != 0) {
        contacts.push_back(block.contact[row]);
      }
    }
    return session.gather_these(fence_, entrance(gather, now), "", {}, contacts);
  }
  return session.gather_these(fence_, entrance(gather, now), where.text, where.values, contacts);
}

// The next contacts in the order of their ids, where the condition cannot be said in SQL whole.
base::Result<store::GatherResult> OwnedTrack::take_chunk(store::Session& session,
                                                         const Clause& clause, base::ContactId from,
                                                         base::Instant now) {
  const decide::GatherClause& gather = *clause.gather;
  TRY(track::ContactBlock block, session.load_contacts(from, kRetestChunk, *clause.reads));
  std::vector<std::uint8_t> kept;
  block.now = now;
  gather.keep(block, kept);
  std::vector<base::ContactId> contacts;
  for (std::size_t row = 0; row < block.rows(); ++row) {
    if (kept[row] != 0) {
      contacts.push_back(block.contact[row]);
    }
  }
  TRY(store::GatherResult result,
      session.gather_these(fence_, entrance(gather, now), "", {}, contacts));
  result.done = block.rows() < static_cast<std::size_t>(kRetestChunk);
  result.last = block.rows() == 0 ? from : block.contact.back();
  return result;
}

// "scan BEGAN CONTACT" while a run is under way, else "done BEGAN" of the last one.
base::Result<StepResult> OwnedTrack::write_scan(store::Session& session, const Clause& clause) {
  return write_cursor(session, clause.name,
                      clause.scanning
                          ? fmt::format("scan {} {}", clause.run_began.us, clause.scanning->get())
                          : fmt::format("done {}", clause.last_run.us));
}

base::Result<StepResult> OwnedTrack::gather_chunk(store::Session& session, Clause& clause,
                                                  base::ContactId from, base::Instant now) {
  const decide::SqlCondition where = condition(session, *clause.gather, now);
  store::GatherResult got;
  if (where.exact) {
    TRY(got, session.gather(fence_, entrance(*clause.gather, now), where.text, where.values, from,
                            kGatherChunk));
  } else {
    TRY(got, take_chunk(session, clause, from, now));
  }
  if (got.fenced) {
    return StepResult{.fenced = true};
  }
  if (got.done) {
    clause.last_run = clause.run_began;
    clause.scanning.reset();
  } else {
    clause.scanning = got.last;
  }
  TRY(StepResult result, write_scan(session, clause));
  result.made_due = got.gathered > 0;
  result.more = !got.done;
  return result;
}

base::Result<StepResult> OwnedTrack::gather(store::Session& session, base::Instant now) {
  StepResult sum;
  for (Clause& clause : clauses_) {
    if (!clause.scanning) {
      if (clause.last_run == track::kNever &&
          std::holds_alternative<decide::Turns>(clause.gather->when())) {
        // Turns are counted from here on, whoever owns the track then.
        clause.last_run = now;
        TRY(const StepResult noted, write_scan(session, clause));
        add(sum, noted);
        if (sum.fenced) {
          return sum;
        }
      }
      base::Instant next = clause.gather->next_run(clause.last_run, now);
      if (is_continuous(*clause.gather) && clause.last_run != track::kNever) {
        next = clause.gather->depends_on_time() ? clause.last_run + kTimeRescan : track::kNever;
      }
      if (next > now) {
        continue;
      }
      clause.scanning = base::ContactId(0);
      clause.run_began = now;
    }
    TRY(const StepResult one, gather_chunk(session, clause, *clause.scanning, now));
    add(sum, one);
    if (sum.fenced) {
      return sum;
    }
  }
  if (note_.regathering) {
    TRY(const StepResult one, regather_chunk(session, *note_.regathering));
    add(sum, one);
    if (sum.fenced) {
      return sum;
    }
  }
  if (rescheduling_) {
    TRY(const StepResult one, reschedule_chunk(session, *rescheduling_));
    add(sum, one);
    if (sum.fenced) {
      return sum;
    }
  }
  if (note_.retesting) {
    TRY(const StepResult one, retest_chunk(session, *note_.retesting));
    add(sum, one);
  }
  return sum;
}

base::Result<StepResult> OwnedTrack::gather_changed(store::Session& session,
                                                    const std::vector<store::Change>& changes) {
  StepResult sum;
  for (const Clause& clause : clauses_) {
    if (!is_continuous(*clause.gather)) {
      continue;
    }
    std::vector<base::ContactId> contacts;
    for (const store::Change& change : changes) {
      if (change.by != fence_.track &&
          (change.created || !facts_of(change, *clause.gather).empty() ||
           happened(change, clause.gather->events()))) {
        contacts.push_back(change.contact);
      }
    }
    if (contacts.empty()) {
      continue;
    }
    std::sort(contacts.begin(), contacts.end());
    contacts.erase(std::unique(contacts.begin(), contacts.end()), contacts.end());
    TRY(const base::Instant now, session.now());
    TRY(const store::GatherResult got, take(session, clause, now, std::move(contacts)));
    sum.fenced = sum.fenced || got.fenced;
    sum.made_due = sum.made_due || got.gathered > 0;
  }
  return sum;
}

base::Result<StepResult> OwnedTrack::wake_changed(store::Session& session,
                                                  const std::vector<store::Change>& changes) {
  const decide::Program& program = *entry_->program;
  struct Touched {
    decide::Facts facts;
    bool events = false;  // that entries hear, or ask for
  };
  std::unordered_map<base::ContactId, Touched> touched;
  std::vector<base::ContactId> contacts;
  for (const store::Change& change : changes) {
    if (change.by == fence_.track) {
      continue;  // an entry is not woken by its own track's writes
    }
    const Touched one{facts_of(change, program), happened(change, program.events())};
    if (one.facts.empty() && !one.events) {
      continue;
    }
    const auto [at, fresh] = touched.try_emplace(change.contact);
    if (fresh) {
      contacts.push_back(change.contact);
    }
    at->second.facts.add(one.facts);
    at->second.events = at->second.events || one.events;
  }
  std::sort(contacts.begin(), contacts.end());
  StepResult result;
  while (!contacts.empty()) {
    TRY(const std::vector<store::PositionRow> rows, session.positions(fence_.track, contacts));
    std::vector<store::Wake> wakes;
    for (const store::PositionRow& row : rows) {
      const Touched& what = touched[row.contact];
      const bool open = row.state == track::PositionState::kOpen;
      const auto step =
          std::find_if(program.listens().begin(), program.listens().end(),
                       [&](const decide::StepListens& s) { return s.step == row.step; });
      const bool concerned =
          what.events || (open ? step != program.listens().end() && step->reads.meets(what.facts)
                               : program.wakes_closed(row.stayed, what.facts));
      if (is_to_be_woken(row, concerned)) {
        wakes.push_back({row.contact, row.entry, row.move_no,
                         open ? program.woken_rules(row.step, what.facts) : 0, concerned});
      }
    }
    TRY(const WakeResult woken, wake(session, wakes));
    result.fenced = result.fenced || woken.fenced;
    result.made_due = result.made_due || woken.woken > 0;
    if (result.fenced || woken.woken == static_cast<std::int64_t>(wakes.size())) {
      break;
    }
    // Some moved between the two statements, perhaps by what was so before the change: look again.
  }
  return result;
}

base::Result<OwnedTrack::WakeResult> OwnedTrack::wake(store::Session& session,
                                                      const std::vector<store::Wake>& wakes) {
  if (wakes.empty()) {
    return WakeResult{};
  }
  auto woken = session.wake(fence_, wakes);
  if (!woken && woken.error().code == base::ErrorCode::kConflict) {
    return WakeResult{.fenced = true};
  }
  TRY(const std::int64_t count, std::move(woken));
  return WakeResult{.woken = count};
}

base::Result<StepResult> OwnedTrack::changed(store::Session& session,
                                             const std::vector<store::Change>& changes) {
  TRY(StepResult sum, gather_changed(session, changes));
  if (sum.fenced) {
    return sum;
  }
  TRY(const StepResult come, gather_on(session, changes));
  add(sum, come);
  if (sum.fenced) {
    return sum;
  }
  TRY(const StepResult woken, wake_changed(session, changes));
  add(sum, woken);
  return sum;
}

base::Result<StepResult> OwnedTrack::retest_chunk(store::Session& session, base::ContactId from) {
  TRY(const track::ContactBlock block, session.load_contacts(from, kRetestChunk, {}));
  if (block.rows() == 0) {
    note_.retesting.reset();
    return note_progress(session);
  }
  TRY(const std::vector<store::PositionRow> rows, session.positions(fence_.track, block.contact));
  std::vector<store::Wake> wakes;
  for (const store::PositionRow& row : rows) {
    const bool again = is_retested(row, *entry_->program);
    if (is_to_be_woken(row, again)) {
      wakes.push_back({row.contact, row.entry, row.move_no, 0, again});
    }
  }
  TRY(const WakeResult woken, wake(session, wakes));
  if (woken.woken == static_cast<std::int64_t>(wakes.size())) {
    note_.retesting = block.contact.back();
  }
  TRY(const StepResult noted, note_progress(session));
  return StepResult{
      .made_due = woken.woken > 0, .more = true, .fenced = woken.fenced || noted.fenced};
}

base::Result<StepResult> OwnedTrack::reschedule_chunk(store::Session& session,
                                                      store::DelayedCursor from) {
  TRY(const std::vector<store::Delayed> delayed, session.delayed(fence_.track, from, kRetestChunk));
  std::map<std::pair<base::ContactId, std::int32_t>, const store::Delayed*> of;
  std::vector<store::BlockItem> items;
  for (const store::Delayed& one : delayed) {
    of[{one.item.contact, one.item.entry}] = &one;
    items.push_back(one.item);
  }
  track::ContactBlock block;
  TRYV(session.load(fence_.track, items, entry_->reads, block));
  std::vector<store::Reschedule> what;
  for (std::size_t row = 0; row < block.rows(); ++row) {
    const store::Delayed& one = *of.at({block.contact[row], block.entry[row]});
    if (const auto stayed =
            entry_->program->rescheduled(block, row, one.from, one.rule, one.moved_at)) {
      what.push_back({one.item, *stayed});
    }
  }
  auto done = session.reschedule(fence_, what);
  if (!done && done.error().code == base::ErrorCode::kConflict) {
    return StepResult{.fenced = true};
  }
  TRY(const std::int64_t count, std::move(done));
  std::string text;
  if (delayed.size() < static_cast<std::size_t>(kRetestChunk)) {
    rescheduling_.reset();
  } else {
    rescheduling_ = {delayed.back().item.contact, delayed.back().item.entry};
    text = fmt::format("{} {}", rescheduling_->contact.get(), rescheduling_->entry);
  }
  TRY(StepResult result, write_cursor(session, store::kReschedule, text));
  result.made_due = count > 0;
  result.more = rescheduling_.has_value();
  return result;
}

}  // namespace turnout::work
