// Publishing a version: in one transaction the epoch is raised, so that nobody else writes for the
// track any more; then it is counted who is where; then the version is written, with the step map
// carried out, or everything is rolled back.

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "store/sql/change.h"
#include "store/sql/ledger.h"
#include "store/sql/places.h"
#include "store/sql/session.h"
#include "store/sql/tracks.h"

namespace turnout::store::sql {

namespace {

class Publication {
 public:
  Publication(Connection& connection, const Publish& publish) : c_(connection), publish_(publish) {}

  // True: to be committed; false: to be rolled back, because nothing was to be done or somebody is
  // homeless.
  base::Result<bool> run();
  // Reads what run() would find. True: it would commit.
  base::Result<bool> look();
  Published& result() { return result_; }

 private:
  // False when there is no such track.
  base::Result<bool> find();
  base::Result<void> read_current();
  base::Result<void> make_track();
  base::Result<void> raise();
  base::Result<void> check_map() const;
  base::Result<void> count_waiting();
  void find_homeless();
  base::Result<void> write_version();
  base::Result<void> carry_out_map();
  base::Result<void> map_step(std::int32_t from, const std::optional<std::string>& to,
                              std::int64_t contacts);
  base::Result<void> count(std::int32_t step, int rule, std::int64_t times);
  base::Result<void> test_all_again();
  base::Result<void> note_reschedule();
  bool has_step(const std::string& name) const;
  std::int64_t id() const { return result_.id.get(); }
  std::string map_json() const;

  Connection& c_;
  const Publish& publish_;
  Published result_;
  base::Version next_{1};
  track::Numbering known_;
  track::Numbering all_;
  std::map<std::string, std::int64_t> leaving_;  // steps that disappear and hold so many contacts
};

bool Publication::has_step(const std::string& name) const {
  const std::vector<const track::Step*> steps = publish_.track.steps();
  return std::any_of(steps.begin(), steps.end(),
                     [&](const track::Step* step) { return step->name.text == name; });
}

// What `stayed` of a closed position is to be when its due_at becomes now: there it keeps when it
// opens.
std::string looking_sql(Dialect dialect) {
  static_assert((track::kFollows | track::kLooks) == 6'917'529'027'641'081'856);
  static_assert(track::kLooks == 2'305'843'009'213'693'952);
  const std::string opens =
      dialect == Dialect::kPostgres ? "(extract(epoch from due_at) * 1000000)::bigint" : "due_at";
  return "case when due_at > " + std::string(now_sql(dialect)) +
         " and (stayed & 6917529027641081856) = 0 then stayed | 2305843009213693952 | " + opens +
         " else stayed end";
}

base::Result<bool> Publication::find() {
  TRY(const std::optional<TrackRow> found, find_track(c_, publish_.track.name.text));
  result_.is_new = !found;
  if (found) {
    result_.id = found->id;
  }
  return found.has_value();
}

base::Result<void> Publication::read_current() {
  TRY(const Rows rows,
      c_.query(
          "select t.version, v.text from track t join track_version v on v.track_id = t.id and "
          "v.version = t.version where t.id = $1",
          {id()}));
  CHECK(rows.size() == 1);
  result_.version = base::Version(rows.integer32(0, 0));
  result_.unchanged = rows.text(0, 1) == publish_.text;
  next_ = base::Version(result_.version.get() + 1);
  TRY(known_, read_numbering(c_, result_.id));
  return base::ok();
}

base::Result<bool> Publication::look() {
  TRY(const bool exists, find());
  if (!exists) {
    TRYV(check_map());
    return true;
  }
  TRYV(read_current());
  TRYV(count_waiting());
  if (result_.unchanged) {
    return false;
  }
  TRYV(check_map());
  find_homeless();
  return result_.homeless.empty();
}

base::Result<bool> Publication::run() {
  TRY(const bool exists, find());
  if (!exists) {
    TRYV(check_map());
    TRYV(make_track());
  } else {
    TRYV(raise());  // waits for blocks being committed
    TRYV(read_current());
    if (result_.unchanged) {
      return false;
    }
    TRYV(check_map());
    TRYV(count_waiting());
    find_homeless();
    if (!result_.homeless.empty()) {
      return false;
    }
  }
  all_ = track::extend(known_, publish_.track);
  TRYV(write_version());
  TRYV(carry_out_map());
  TRYV(test_all_again());
  TRYV(raise_catalogue_version(c_));
  TRYV(watch_places(c_, publish_.track));
  TRYV(note_reschedule());
  result_.version = next_;
  return true;
}

base::Result<void> Publication::make_track() {
  TRY(const Rows rows, c_.query("insert into track (name, version) values ($1, 1) returning id",
                                {publish_.track.name.text}));
  result_.id = base::TrackId(rows.integer32(0, 0));
  TRY(const base::Timeline timeline, c_.timeline());
  TRYV(c_.execute(
      std::string(
          "insert into ledger (track_id, timeline, epoch, version, since) values ($1, $2, 1, 1, ") +
          now_sql(c_.dialect()) + ")",
      {id(), timeline.get()}));
  return base::ok();
}

base::Result<void> Publication::raise() { return raise_epoch(c_, result_.id); }

base::Result<void> Publication::check_map() const {
  for (const auto& [from, to] : publish_.map) {
    if (!known_.steps.contains(from)) {
      return base::fail(base::ErrorCode::kInvalid,
                        "the step map names \"" + from + "\", which was never a step of the track");
    }
    if (has_step(from)) {
      return base::fail(base::ErrorCode::kInvalid,
                        "the step map names \"" + from + "\", which is still a step of the track");
    }
    if (to && !has_step(*to)) {
      return base::fail(base::ErrorCode::kInvalid, "the step map sends \"" + from + "\" to \"" +
                                                       *to +
                                                       "\", which is no step of the new version");
    }
  }
  return base::ok();
}

base::Result<void> Publication::count_waiting() {
  TRY(const Rows rows,
      c_.query(
          "select step, count(*) from position where track_id = $1 and state <> 2 group by step",
          {id()}));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int32_t step = rows.integer32(i, 0);
    if (step != track::kHeldOutStep) {
      result_.waiting[known_.name_of(step)] = rows.integer(i, 1);
    }
  }
  return base::ok();
}

void Publication::find_homeless() {
  for (const auto& [name, contacts] : result_.waiting) {
    if (!has_step(name)) {
      leaving_[name] = contacts;
    }
  }
  for (const auto& [name, contacts] : leaving_) {
    if (!publish_.map.contains(name)) {
      result_.homeless.emplace_back(name, contacts);
    }
  }
}

std::string Publication::map_json() const {
  std::string json = "{";
  for (const auto& [from, to] : publish_.map) {
    json += json.size() > 1 ? "," : "";
    append_json_string(from, json);
    json += ':';
    if (to) {
      append_json_string(*to, json);
    } else {
      json += "null";
    }
  }
  return json + "}";
}

base::Result<void> Publication::write_version() {
  const std::int64_t version = next_.get();
  TRYV(c_.execute(
      std::string(
          "insert into track_version (track_id, version, text, step_map, published_at) values "
          "($1, $2, $3, $4, ") +
          now_sql(c_.dialect()) + ")",
      {id(), version, publish_.text, map_json()}));
  TRYV(c_.execute("update track set version = $1 where id = $2", {version, id()}));
  TRYV(c_.execute("update ledger set version = $1 where track_id = $2", {version, id()}));
  return add_names(c_, result_.id, known_, all_);
}

base::Result<void> Publication::carry_out_map() {
  for (const auto& [name, contacts] : leaving_) {
    TRYV(map_step(known_.steps.at(name), publish_.map.at(name), contacts));
  }
  return base::ok();
}

// A move like any other: numbered, in the journal, in the tally. Those who wait for a time keep it.
base::Result<void> Publication::map_step(std::int32_t from, const std::optional<std::string>& to,
                                         std::int64_t contacts) {
  const std::int64_t old_step = from;
  const std::int64_t new_step = to ? all_.steps.at(*to) : all_.outcomes.at(track::kCompleted);
  const std::string now = now_sql(c_.dialect());
  const std::string path = "[" + std::to_string(old_step) + "," + std::to_string(kTallyMapped) +
                           "," + std::to_string(new_step) + "]";
  TRYV(c_.execute(
      "insert into journal (track_id, contact_id, entry, from_move, to_move, version, at, peer, "
      "incarnation, "
      "path, seen) select track_id, contact_id, entry, move_no + 1, move_no + 1, $1, " +
          now + ", '', 0, $2, '{}' from position where track_id = $3 and step = $4 and state <> 2",
      {static_cast<std::int64_t>(next_.get()), path, id(), old_step}));
  TRYV(c_.execute(
      "insert into change (contact_id, track_id, what, at) select contact_id, $1, " +
          place_change_sql(c_.dialect(), "$1") + ", " + now +
          " from position where track_id = $1 and step = $2 and state <> 2 and exists"
          " (select 1 from ledger where track_id = $1 and watched >= $3)",
      {id(), old_step, static_cast<std::int64_t>(to ? Watched::kWhichStep : Watched::kWhoIsOn)}));
  const std::string ends = to ? "" : ", state = 2, due_at = null";
  TRYV(c_.execute("update position set step = $1, move_no = move_no + 1, version = $2, step_at = " +
                      now + ends + " where track_id = $3 and step = $4 and state <> 2",
                  {new_step, static_cast<std::int64_t>(next_.get()), id(), old_step}));
  TRYV(count(from, kTallyMapped, contacts));
  TRYV(count(from, kTallyNet, -contacts));
  return count(static_cast<std::int32_t>(new_step), kTallyNet, contacts);
}

base::Result<void> Publication::count(std::int32_t step, int rule, std::int64_t times) {
  TRYV(c_.execute(
      "insert into tally (track_id, version, step, rule, connection, times) values ($1, $2, $3, "
      "$4, 0, $5) "
      "on conflict (track_id, version, step, rule, connection) do update set times = tally.times + "
      "excluded.times",
      {id(), static_cast<std::int64_t>(next_.get()), static_cast<std::int64_t>(step),
       static_cast<std::int64_t>(rule), times}));
  return base::ok();
}

// All who wait on a rule are due now. Closed ones keep their time and why they are closed; where
// they may leave, they are looked at now. Which rules have stayed means nothing in a new version.
base::Result<void> Publication::test_all_again() {
  if (track::has_leave_condition(publish_.track)) {
    TRYV(c_.execute("update position set stayed = " + looking_sql(c_.dialect()) + ", due_at = " +
                        now_sql(c_.dialect()) + " where track_id = $1 and state = 1",
                    {id()}));
  }
  TRYV(c_.execute(std::string("update position set stayed = 0, due_at = ") + now_sql(c_.dialect()) +
                      " where track_id = $1 and state = 0",
                  {id()}));
  TRYV(c_.execute("delete from timer where track_id = $1", {id()}));
  TRYV(c_.execute(
      "insert into timer (track_id, due_at, contact_id, entry, move_no) select track_id, due_at, "
      "contact_id, "
      "entry, move_no from position where track_id = $1 and state <> 2 and due_at is not null",
      {id()}));
  return base::ok();
}

base::Result<void> Publication::note_reschedule() {
  if (publish_.reschedule) {
    TRYV(write_cursor(c_, result_.id, kReschedule, "0 0"));
  }
  return base::ok();
}

base::Result<void> named(const Publish& publish) {
  if (publish.track.name.text.empty()) {
    return base::fail(base::ErrorCode::kInvalid, "a track needs a name");
  }
  return base::ok();
}

}  // namespace

base::Result<Published> SqlSession::plan(const Publish& publish) {
  TRYV(named(publish));
  return in_transaction(*connection_, TransactionMode::kRead,
                        [&](Connection& c) -> base::Result<Published> {
                          Publication publication(c, publish);
                          TRYV(publication.look());
                          return std::move(publication.result());
                        });
}

base::Result<Published> SqlSession::publish(const Publish& publish) {
  TRYV(named(publish));
  std::optional<Published> nothing_done;
  auto done = in_transaction(
      *connection_, TransactionMode::kWrite, [&](Connection& c) -> base::Result<Published> {
        Publication publication(c, publish);
        TRY(const bool commit, publication.run());
        if (!commit) {
          nothing_done = std::move(publication.result());
          return base::fail(base::ErrorCode::kConflict, "nothing was published");  // rolls back
        }
        return std::move(publication.result());
      });
  if (nothing_done) {
    return std::move(*nothing_done);
  }
  return done;
}

}  // namespace turnout::store::sql
