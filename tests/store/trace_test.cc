// The same random sequence of calls on all stores: the same answers, and the same tables at the
// end.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <random>
#include <set>
#include <sstream>

#include "store/suite.h"

namespace turnout::store::test {
namespace {

// Draws the calls from its own seed and speaks of contacts by key and of tracks by name, so that
// three of them with one seed do the same on three stores. Every call adds its answer to the log.
class Trace {
 public:
  Trace(TestDatabase& database, unsigned seed) : database_(database), random_(seed) {
    session_ = must(database_.store().open_session());
    other_ = must(database_.store().open_session());
    group_ = must(database_.store().open_group_session());
    must(session_->declare_fields(fields_));
    for (const char* name : {"p", "q"}) {
      peers_.push_back(
          {base::PeerName(name), base::Incarnation(static_cast<std::int64_t>(peers_.size()) + 1)});
    }
    publish("T", {"A", "B", "C"}, {});
    cursor_ = must(session_->changes({}, 1)).next;
  }

  void step() {
    switch (draw(18)) {
      case 0:
        return import();
      case 1:
        return gather();
      case 2:
      case 3:
        return load();
      case 4:
      case 5:
      case 6:
        return commit();
      case 7:
        return wake();
      case 8:
        return take();
      case 9:
        return deliver();
      case 10:
        return note();
      case 11:
        return draw(4) == 0 ? give_up() : read_feed();
      case 12:
        return draw(3) == 0 ? publish_again() : cursor();
      case 13:
        return record();
      case 14:
        return enter();
      case 15:
        return draw(3) == 0 ? watch() : take_off();
      case 16:
        return reschedule();
      default:
        return draw(6) == 0 ? pause() : ask();
    }
  }

  std::string log() const { return log_.str(); }

 private:
  int draw(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }
  bool coin() { return draw(2) == 0; }
  template <class T>
  const T& one_of(const std::vector<T>& items) {
    return items[static_cast<std::size_t>(draw(static_cast<int>(items.size())))];
  }
  std::string any_key() { return "k" + std::to_string(draw(30)); }

  base::ContactId id(const std::string& key) {
    const auto report = session_->why(key);
    return report ? report.value().id : base::ContactId(1'000'000);
  }
  std::string key(base::ContactId contact) {
    const auto block =
        must(session_->load_these({contact}, {{{"key", track::Type::kText, "key"}}, {}}));
    return block.rows() == 0 ? "?" : std::string(block.columns[0].text[0]);
  }

  void import() {
    std::vector<std::string> keys;
    std::vector<std::vector<track::Value>> rows;
    for (int n = 1 + draw(8); n > 0; --n) {
      keys.push_back(any_key());
      rows.push_back({draw(4) == 0 ? track::Value(track::Missing{})
                                   : track::Value(static_cast<double>(draw(3))),
                      draw(4) == 0 ? track::Value(track::Missing{})
                                   : track::Value(std::string(coin() ? "x" : "y"))});
    }
    const auto result = must(session_->import_contacts(make_batch(keys, {kScore, kPlan}, rows)));
    log_ << "import " << result.inserted << " " << result.updated << " " << result.unchanged
         << "\n";
  }

  void gather() {
    Entrance entrance{version_, one_of(steps())};
    if (coin()) {
      entrance.stopped_by = base::Instant{kLongAgo.us + draw(3)};
    }
    GatherResult result;
    if (coin()) {
      std::vector<base::ContactId> contacts;
      for (int n = draw(5); n > 0; --n) {
        contacts.push_back(id(any_key()));
      }
      result = must(session_->gather_these(fence_, entrance, "", {}, contacts));
    } else {
      result = must(session_->gather(fence_, entrance, "", {}, {}, 20'000));
    }
    log_ << "gather " << result.fenced << " " << result.gathered << " "
         << (result.fenced || result.done) << "\n";
  }

  std::string any_event() { return one_of(event_names_); }

  void record() {
    std::vector<NewEvent> events;
    for (int n = 1 + draw(6); n > 0; --n) {
      NewEvent& event = events.emplace_back();
      event.key = any_key();
      event.name = any_event();
      event.properties = coin() ? "" : R"({"zz":1.5,"a":["O'Neill",null,{"b":true}]})";
      event.source = coin() ? "web" : "app";
      event.id = draw(3) == 0 ? "" : std::to_string(draw(40));
    }
    const RecordResult result = must(session_->record_events(events));
    log_ << "record " << result.recorded << " " << result.repeated << " " << result.contacts
         << "\n";
  }

  // Contacts come in by events that there are, or are not.
  void enter() {
    std::vector<Arrival> arrivals;
    std::set<std::string> keys;
    for (int n = 1 + draw(4); n > 0; --n) {
      keys.insert(any_key());
    }
    for (const std::string& contact : keys) {
      Arrival& arrival = arrivals.emplace_back();
      arrival.contact = id(contact);
      arrival.step = one_of(steps());
      arrival.event = draw(8);
      if (coin()) {
        arrival.entry_key = coin() ? "\"x\"" : "7";
      }
      arrival.data = coin() ? "" : R"({"event":{"a":1},"entry":{"b":"2"}})";
    }
    std::optional<base::Instant> stopped_by;
    if (coin()) {
      stopped_by = base::Instant{kLongAgo.us + draw(3)};
    }
    const GatherResult result = must(session_->enter(fence_, version_, stopped_by, arrivals));
    log_ << "enter " << result.fenced << " " << result.gathered << "\n";
  }

  void take_off() {
    std::vector<TakeOff> asked;
    std::set<std::string> keys;
    for (int n = 1 + draw(3); n > 0; --n) {
      keys.insert(any_key());
    }
    for (const std::string& contact : keys) {
      asked.push_back({id(contact), coin() ? kFarOff : kLongAgo});
    }
    const TakenOff result = must(session_->take_off(fence_, version_, done_, asked));
    log_ << "take off " << result.fenced << " " << result.entries << "\n";
  }

  // Another track asks about this one, or about one that there never is.
  void watch() {
    log_ << "watch "
         << must(session_->publish(asking("W", "text " + std::to_string(++texts_),
                                          coin() ? "T" : "None", coin() ? "B" : "")))
                .version.get()
         << "\n";
  }

  void reschedule() {
    std::vector<std::pair<std::string, Delayed>> found;
    DelayedCursor after;
    while (true) {
      const std::vector<Delayed> some = must(session_->delayed(track_, after, 3));
      for (const Delayed& one : some) {
        after = {one.item.contact, one.item.entry};
        found.emplace_back(key(one.item.contact) + "/" + std::to_string(one.item.entry), one);
      }
      if (some.size() < 3) {
        break;
      }
    }
    std::ranges::sort(found, {}, &std::pair<std::string, Delayed>::first);
    log_ << "delayed";
    std::vector<Reschedule> what;
    for (const auto& [text, one] : found) {
      log_ << " " << text << "#" << one.item.move_no << ":" << one.from << "-" << one.rule;
      if (coin()) {
        what.push_back({{one.item.contact, one.item.entry, one.item.move_no + draw(5) / 4},
                        coin() ? track::kRests : track::looked_at(0, another(kFarOff))});
      }
    }
    const auto done = session_->reschedule(fence_, what);
    log_ << " rescheduled " << (done ? done.value() : -1) << "\n";
  }

  void log_events(std::size_t row) {
    log_ << "(" << block_.heard[row] << "<" << block_.newest[row] << block_.data[row];
    for (const track::BlockEvent& event : block_.events[row]) {
      EXPECT_LE(event.at, block_.now);
      log_ << " " << event.id << event.name << event.heard << event.properties;
    }
    log_ << ")";
  }

  // Everything that stands on the track in key order, some of it with an outdated move number.
  void load() {
    std::vector<std::pair<std::string, BlockItem>> found;
    for (int n = 1 + draw(12); n > 0; --n) {
      const std::string contact = any_key();
      const base::ContactId number = id(contact);
      for (const PositionRow& row : must(session_->positions(track_, {number}))) {
        log_ << "position " << contact << "/" << row.entry << " due " << row.due << "\n";
        found.push_back({contact, {number, row.entry, row.move_no + (draw(8) == 0 ? 1 : 0)}});
      }
    }
    std::sort(found.begin(), found.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    found.erase(std::unique(found.begin(), found.end(),
                            [](const auto& a, const auto& b) { return a.first == b.first; }),
                found.end());
    std::vector<BlockItem> items;
    for (const auto& [contact, item] : found) {
      items.push_back(item);
    }
    // Without events a block is read in other ways.
    hears_ = draw(3) != 0;
    const store::Reads reads =
        hears_ ? store::Reads{fields_, {"hot"}, places_, {"open", "click"}, {"click", "buy"}, true}
               : store::Reads{fields_, {"hot"}, places_};
    must(session_->load(track_, items, reads, block_));
    sort_block();
    log_ << "load " << block_.rows() << ":";
    for (std::size_t row = 0; row < block_.rows(); ++row) {
      log_ << " " << keys_[row] << "@" << block_.step[row] << "#" << block_.move_no[row] << "/"
           << static_cast<int>(block_.state[row]) << "/" << block_.stayed[row] << "/"
           << int{block_.tags[0][row]} << "/"
           << (block_.columns[0].present[row] != 0 ? block_.columns[0].number[row] : -1) << "/"
           << int{block_.places[0][row]} << int{block_.places[1][row]};
      if (hears_) {
        log_events(row);
      }
    }
    log_ << "\n";
  }

  // Rows come in any order; keys_ says whose each is, and order_ goes through them by key.
  void sort_block() {
    keys_.clear();
    for (const base::ContactId contact : block_.contact) {
      keys_.push_back(key(contact));
    }
    std::vector<std::size_t> order(block_.rows());
    for (std::size_t i = 0; i < order.size(); ++i) {
      order[i] = i;
    }
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return keys_[a] < keys_[b]; });
    track::ContactBlock sorted;
    sorted.now = block_.now;
    sorted.columns.resize(block_.columns.size());
    sorted.tags.resize(block_.tags.size());
    sorted.places.resize(block_.places.size());
    std::vector<std::string> keys;
    for (std::size_t c = 0; c < block_.columns.size(); ++c) {
      sorted.columns[c].type = block_.columns[c].type;
    }
    for (const std::size_t row : order) {
      sorted.contact.push_back(block_.contact[row]);
      sorted.entry.push_back(block_.entry[row]);
      sorted.move_no.push_back(block_.move_no[row]);
      sorted.step.push_back(block_.step[row]);
      sorted.version.push_back(block_.version[row]);
      sorted.heard.push_back(block_.heard[row]);
      sorted.state.push_back(block_.state[row]);
      sorted.entered_at.push_back(block_.entered_at[row]);
      sorted.step_at.push_back(block_.step_at[row]);
      sorted.due_at.push_back(block_.due_at[row]);
      sorted.stayed.push_back(block_.stayed[row]);
      for (std::size_t c = 0; c < block_.columns.size(); ++c) {
        sorted.columns[c].append(block_.columns[c].at(row));
      }
      for (std::size_t t = 0; t < block_.tags.size(); ++t) {
        sorted.tags[t].push_back(block_.tags[t][row]);
      }
      for (std::size_t p = 0; p < block_.places.size(); ++p) {
        sorted.places[p].push_back(block_.places[p][row]);
      }
      if (hears_) {
        sorted.events.push_back(block_.events[row]);
        for (track::BlockEvent& event : sorted.events.back()) {
          event.properties = nlohmann::json::parse(event.properties).dump();
        }
        sorted.newest.push_back(block_.newest[row]);
        const std::string& data = block_.data[row];
        sorted.data.push_back(data.empty() ? "" : nlohmann::json::parse(data).dump());
      }
      keys.push_back(keys_[row]);
    }
    block_ = std::move(sorted);
    keys_ = std::move(keys);
  }

  // None comes twice: where a position has moved and is due as before, PostgreSQL puts it a
  // microsecond later.
  base::Instant another(base::Instant about) { return {about.us + ++dues_}; }

  Way draw_way(std::int32_t from) {
    Way way;
    way.stayed = static_cast<std::uint64_t>(draw(4));
    way.step_at = base::Instant{kLongAgo.us + draw(3)};
    if (hears_) {
      way.heard = draw(10);
      way.data = coin() ? "" : R"({"event":{"c":[1]}})";
    }
    way.due = coin() ? track::kNever : another(coin() ? kLongAgo : kFarOff);
    const int moves = draw(4);
    std::int32_t step = from;
    for (int move = 1; move <= moves; ++move) {
      way.path.push_back(step);
      way.path.push_back(draw(2));
      step = one_of(steps());
      for (int act = draw(3); act > 0; --act) {
        const auto kind = one_of(std::vector{track::ActionKind::kEmail, track::ActionKind::kWebhook,
                                             track::ActionKind::kEvent});
        way.acts.push_back(
            {move, static_cast<std::int16_t>(act), kind, coin() ? hello_ : hook_, false});
      }
    }
    if (moves > 0) {
      const bool stops = draw(4) == 0;
      way.path.push_back(stops ? done_ : step);
      way.state = stops ? track::PositionState::kStopped : track::PositionState::kOpen;
      way.withdraws = stops && coin();
      if (!stops && draw(3) == 0) {
        way.state = track::PositionState::kClosed;
        way.due = another(kFarOff);
      }
      way.seen = coin() ? "{}" : R"({"plan":"O'Neill"})";
      draw_effects(way);
    }
    return way;
  }

  void draw_effects(Way& way) {
    if (draw(3) == 0) {
      way.adds.emplace_back(0, draw(3) - 1);
    } else if (draw(3) == 0) {
      way.writes.emplace_back(0, draw(3) == 0 ? track::Value(track::Missing{})
                                              : track::Value(static_cast<double>(draw(3))));
    }
    if (draw(3) == 0) {
      way.writes.emplace_back(1, std::string(coin() ? "x" : "z\"'\\"));
    }
    for (const char* tag : {"hot", "cold"}) {
      if (draw(3) == 0) {
        way.tags.push_back({tag, coin()});
      }
    }
    if (!way.acts.empty() && coin()) {
      way.payload = "[";
      for (track::Shape::Act& act : way.acts) {
        act.has_payload = coin();
        way.payload += std::string(way.payload.size() > 1 ? "," : "") +
                       (act.has_payload ? R"({"a":[1,"],"]})" : "null");
      }
      way.payload += "]";
    }
  }

  void commit() {
    if (block_.rows() == 0) {
      return;  // an empty block is never committed
    }
    const track::BlockOutcome after =
        outcome_of(block_, fields_, [&](std::size_t row) { return draw_way(block_.step[row]); });
    Commit commit;
    commit.fence = fence_;
    commit.version = version_;
    commit.peer = one_of(peers_);
    commit.connection = draw(3);
    commit.fields = &fields_;
    commit.before = &block_;
    commit.after = &after;
    const CommitResult result = must((coin() ? session_ : other_)->commit(commit));
    log_ << "commit " << result.fenced << " " << result.positions << " " << result.moves << " "
         << result.actions << " stale";
    std::set<std::string> stale;
    for (const std::uint32_t row : result.stale) {
      stale.insert(keys_[row]);
    }
    for (const std::string& contact : stale) {
      log_ << " " << contact;
    }
    log_ << "\n";
  }

  void wake() {
    std::vector<Wake> wakes;
    for (std::size_t row = 0; row < block_.rows(); ++row) {
      if (draw(3) == 0) {
        wakes.push_back({block_.contact[row], block_.entry[row], block_.move_no[row],
                         static_cast<std::uint64_t>(draw(4)), coin()});
      }
    }
    const auto result = session_->wake(fence_, wakes);
    log_ << "wake " << (result ? result.value() : -1) << "\n";
  }

  void take() {
    for (const LedgerRow& row : must(group_->ledger())) {
      if (row.track != track_) {
        continue;
      }
      const base::Epoch epoch(row.epoch.get() - (draw(4) == 0 ? 1 : 0));
      const TakeResult taken = must(group_->take(track_, row.timeline, epoch, one_of(peers_), {}));
      log_ << "take " << taken.taken << " " << taken.row.epoch.get() << " "
           << (taken.row.owner ? taken.row.owner->name.get() : "") << "\n";
      if (draw(4) != 0) {  // else we go on with an old fence
        fence_ = {track_, taken.row.timeline, taken.row.epoch};
      }
      if (draw(5) == 0) {
        log_ << "cede " << must(group_->cede(track_, taken.row.epoch, one_of(peers_))) << "\n";
      }
    }
  }

  void deliver() {
    std::vector<OutboxKey> keys;
    for (const OutboxRow& row : must(session_->outbox(OutboxState::kWaiting, 10'000))) {
      keys.push_back(row.key);
    }
    std::sort(keys.begin(), keys.end(), [&](const OutboxKey& a, const OutboxKey& b) {
      return outbox_text(a) < outbox_text(b);
    });
    std::vector<OutboxKey> some;
    for (const OutboxKey& key : keys) {
      if (draw(3) == 0) {
        some.push_back(key);
      }
    }
    const PeerId& peer = one_of(peers_);
    const base::Duration lease =
        coin() ? base::Duration(-1) : base::Duration(std::chrono::hours(1));
    const std::vector<Delivery> taken = must(session_->take_deliveries(some, peer, lease, fields_));
    log_ << "take " << taken.size() << " deliveries:";
    std::set<std::string> texts;
    for (const Delivery& delivery : taken) {
      texts.insert(outbox_text(delivery.key) + "=" + delivery.name + "," + delivery.payload + "," +
                   std::to_string(delivery.attempt) + "," + delivery.contact_key);
      taken_.push_back({delivery.key, delivery.attempt, peer});
    }
    std::sort(taken_.begin(), taken_.end(), [&](const Taken& a, const Taken& b) {
      return std::pair(outbox_text(a.key), a.attempt) < std::pair(outbox_text(b.key), b.attempt);
    });
    for (const std::string& text : texts) {
      log_ << " " << text;
    }
    log_ << "\n";
  }

  std::string outbox_text(const OutboxKey& k) {
    return key(k.contact) + "/" + std::to_string(k.entry) + "/" + std::to_string(k.move_no) + "/" +
           std::to_string(k.action_no);
  }

  void note() {
    if (taken_.empty()) {
      return;
    }
    const PeerId peer = one_of(taken_).peer;
    std::vector<DeliveryResult> results;
    for (const Taken& taken : taken_) {
      if (taken.peer == peer && coin() &&
          std::none_of(results.begin(), results.end(),
                       [&](const DeliveryResult& r) { return r.key == taken.key; })) {
        const OutboxState states[] = {OutboxState::kSent, OutboxState::kFailed,
                                      OutboxState::kWaiting};
        results.push_back(
            {taken.key, taken.attempt, states[draw(3)], base::Duration(0), "said \"so\""});
      }
    }
    log_ << "note " << must(session_->note_deliveries(peer, results)) << "\n";
  }

  void give_up() {
    log_ << "give up " << must(session_->give_up_deliveries({one_of(peers_)})) << "\n";
  }

  // The order within a transaction is not said, so what is told is compared as a set.
  void read_feed() {
    std::map<std::string, std::set<std::string>> told;
    for (bool more = true; more;) {
      const FeedBatch batch = must(session_->changes(cursor_, 10'000));
      EXPECT_FALSE(batch.lost);
      for (const Change& change : batch.changes) {
        std::set<std::string>& names =
            told[key(change.contact) + (change.by == track_ ? " T" : "")];
        names.insert(change.fields.begin(), change.fields.end());
        for (const std::string& tag : change.tags) {
          names.insert("#" + tag);
        }
        for (const auto& [name, number] : change.events) {
          names.insert("!" + std::to_string(number) + name);
        }
        for (const std::string& place : change.places) {
          names.insert("@" + place);
        }
        if (change.created) {
          names.insert("created");
        }
      }
      cursor_ = batch.next;
      more = batch.more;
    }
    log_ << "feed";
    for (const auto& [contact, names] : told) {
      log_ << " " << contact;
      for (const std::string& name : names) {
        log_ << "." << name;
      }
    }
    log_ << "\n";
  }

  void publish(const std::string& name, const std::vector<std::string>& names,
               const std::map<std::string, std::optional<std::string>>& map) {
    Publish publish = make_publish(name, names, "text " + std::to_string(++texts_));
    publish.map = map;
    publish.reschedule = coin();
    const auto result = session_->publish(publish);
    log_ << "publish";
    if (!result) {
      log_ << " refused " << static_cast<int>(result.error().code) << "\n";
      return;
    }
    for (const auto& [step, contacts] : result.value().homeless) {
      log_ << " " << step << "=" << contacts;
    }
    log_ << " version " << result.value().version.get() << "\n";
    track_ = result.value().id;
    version_ = result.value().version;
    const TrackVersion version = must(session_->track_version(name, version_));
    steps_.clear();
    if (result.value().homeless.empty()) {
      names_ = names;
    }
    for (const std::string& step : names_) {
      steps_.push_back(version.numbering.steps.at(step));
    }
    done_ = version.numbering.outcomes.at("done");
    hello_ = version.numbering.actions.at({track::ActionKind::kEmail, "hello"});
    hook_ = version.numbering.actions.at({track::ActionKind::kWebhook, "hook"});
  }

  void publish_again() {
    std::vector<std::string> names;
    std::map<std::string, std::optional<std::string>> map;
    for (const char* name : {"A", "B", "C", "D"}) {
      if (draw(4) != 0) {
        names.emplace_back(name);
      }
    }
    if (names.empty()) {
      names.emplace_back("A");
    }
    for (const std::string& old : names_) {
      if (std::find(names.begin(), names.end(), old) == names.end() && draw(3) != 0) {
        map[old] = coin() ? std::nullopt : std::optional(one_of(names));
      }
    }
    publish("T", names, map);
  }

  void pause() { must(session_->set_active("T", coin())); }

  void cursor() {
    const auto set = session_->set_cursor(fence_, coin() ? "a" : "b", std::to_string(draw(100)));
    log_ << "cursor " << (set ? "set" : "fenced") << " "
         << must(session_->cursor(track_, "a")).value_or("none") << " "
         << must(session_->cursor(track_, kReschedule)).value_or("none") << "\n";
  }

  void ask() {
    const Report report = must(session_->report("T"));
    const Progress progress = must(session_->progress("T"));
    log_ << "report " << report.entered << " " << report.moves << " " << progress.moves << " "
         << progress.gathered;
    for (const auto* counts : {&report.waiting, &report.stopped, &progress.on_step, &report.tags}) {
      for (const auto& [name, contacts] : *counts) {
        log_ << " " << name << "=" << contacts;
      }
    }
    for (const ActionCount& action : report.actions) {
      log_ << " " << action.name;
      for (const auto& [state, number] : action.states) {
        log_ << "," << static_cast<int>(state) << "=" << number;
      }
    }
    const std::string contact = any_key();
    const auto why = session_->why(contact);
    log_ << " why " << contact;
    if (why) {
      for (const std::string& tag : why.value().tags) {
        log_ << " #" << tag;
      }
      for (const PositionReport& position : why.value().positions) {
        log_ << " on " << position.step;
      }
      for (const MoveRow& move : why.value().moves) {
        log_ << " " << move.move_no << ":" << move.from << "-" << move.rule << ">" << move.to;
      }
    }
    log_ << "\n";
  }

  const std::vector<std::int32_t>& steps() const { return steps_; }

  struct Taken {
    OutboxKey key;
    std::int32_t attempt = 0;
    PeerId peer;
  };

  TestDatabase& database_;
  std::mt19937 random_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<Session> other_;
  std::unique_ptr<GroupSession> group_;
  const std::vector<track::Field> fields_ = {kScore, kPlan};
  std::vector<PeerId> peers_;
  base::TrackId track_;
  base::Version version_;
  Fence fence_{base::TrackId(0), base::Timeline(0), base::Epoch(-1)};
  std::vector<std::string> names_;
  std::vector<std::int32_t> steps_;
  std::int32_t done_ = 0;
  std::int32_t hello_ = 0;
  std::int32_t hook_ = 0;
  int texts_ = 0;
  int dues_ = 0;
  track::ContactBlock block_;
  bool hears_ = false;  // the block was read with its events and data
  const std::vector<std::string> event_names_ = {"open", "click", "buy", "none"};
  const std::vector<track::OtherPlace> places_ = {{"T", ""}, {"T", "B"}};
  std::vector<std::string> keys_;
  std::vector<Taken> taken_;
  FeedCursor cursor_;
  std::ostringstream log_;
};

// TURNOUT_SEED repeats one seed, TURNOUT_TRACES says how many.
TEST(TraceTest, AllStoresGiveTheSameAnswersAndTables) {
  const char* const given = std::getenv("TURNOUT_SEED");
  const char* const number = std::getenv("TURNOUT_TRACES");
  const unsigned first = given != nullptr ? static_cast<unsigned>(std::stoul(given)) : 1;
  const unsigned traces = given != nullptr    ? 1
                          : number != nullptr ? static_cast<unsigned>(std::stoul(number))
                                              : 6;
  constexpr int kSteps = 150;
  for (unsigned seed = first; seed < first + traces; ++seed) {
    SCOPED_TRACE("repeat with TURNOUT_SEED=" + std::to_string(seed));
    std::vector<std::unique_ptr<TestDatabase>> databases;
    std::vector<std::unique_ptr<Trace>> runs;
    for (const Kind kind : kinds()) {
      databases.push_back(TestDatabase::make(kind));
      runs.push_back(std::make_unique<Trace>(*databases.back(), seed));
    }
    for (int step = 0; step < kSteps && !testing::Test::HasFailure(); ++step) {
      for (std::size_t i = 0; i < runs.size(); ++i) {
        runs[i]->step();
        check_invariants(*databases[i]);
      }
      for (std::size_t i = 1; i < runs.size(); ++i) {
        ASSERT_EQ(runs[0]->log(), runs[i]->log())
            << kind_name(databases[i]->kind()) << " after step " << step;
      }
    }
    for (std::size_t i = 1; i < runs.size(); ++i) {
      ASSERT_EQ(databases[0]->dump(Times::kNormal).text(),
                databases[i]->dump(Times::kNormal).text())
          << kind_name(databases[i]->kind());
    }
  }
}

}  // namespace
}  // namespace turnout::store::test
