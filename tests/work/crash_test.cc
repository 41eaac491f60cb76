// An owner's rounds and the blocks of its tracks, cut short at any statement: processes die,
// answers are lost, rows are taken, tracks published anew, standbys take over that were behind, and
// between any two statements contacts change and events come. Once it is calm, nobody was
// overlooked and nothing was made twice. All on the store's model in virtual time, from a seed:
//
//   SEED=257 build/dev/tests/work_test --gtest_filter=Crashes.*

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "store/model/model.h"
#include "work/bench_peer.h"
#include "work/block_runner.h"
#include "work/frail_session.h"
#include "work/rounds.h"

namespace turnout::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kPings = R"(track "Pings"
  about "Each ping makes an entry, which its pong ends."
  gather on "ping"
    for each event.n
    start at "Wait"
  leave on "left" as "gone"

step "Wait"
  on "pong" where event.n is entry.n:
    stop as "answered"
)";

constexpr const char* kScores = R"(track "Scores"
  about "Waits for a field, for a time, and for events."
  gather contacts continuously

step "Start"
  otherwise:
    go to "Low"

step "Low"
  when score is at least 10:
    go to "Middle"

step "Middle"
  when score is at least 20:
    go to "Wait" after 1 second
  on "jump":
    go to "Wait"

step "Wait"
  when did "visit" at least 2 times:
    put on track "After"
    stop as "done"
)";

constexpr const char* kAfter = R"(track "After"
  about "Takes whom it finds and who is put on it, and waits for what happens on another track."
  gather contacts where did "visit" at least 3 times continuously

step "Here"
  when not on track "Scores":
    stop as "alone"
)";

constexpr int kContacts = 24;  // c0 …
constexpr int kTurns = 400;
constexpr int kLargestBlock = 4;

class World;

// A server, as far as its tracks and blocks go.
class Process {
 public:
  Process(World& world, const std::string& name);

  // Takes the track's row, whoever has it, unless it is paused.
  void take(base::TrackId track);
  // The ledger's row has another epoch, and is this process's still.
  void gained(const store::Fence& fence) { gained_[fence.track] = fence; }
  const store::PeerId& self() const { return self_; }
  // After a fail-over nothing that was known holds.
  void begin_anew();
  void die_after(int statements) { left_ = statements; }
  bool dead() const { return left_ && *left_ <= 0; }
  bool owns(base::TrackId track) const {
    return gained_.contains(track) || entries_.contains(track);
  }

  // True when there is more to do at once.
  bool go_round();
  // What is due on its tracks, as blocks.
  std::vector<work::BlockTask> cut();
  void run(const work::BlockTask& block);
  void deliver();

 private:
  Fate fate();
  std::unique_ptr<store::Session> open();
  void begin_gained();

  World& world_;
  std::unique_ptr<store::GroupSession> group_;
  store::PeerId self_;
  std::optional<int> left_;  // statements until it dies
  work::TrackBook book_{parse};
  std::unique_ptr<store::Session> session_;
  work::RoundCallbacks callbacks_;
  std::unique_ptr<work::Rounds> rounds_;
  std::unique_ptr<work::BlockRunner> runner_;
  std::map<base::TrackId, store::Fence> gained_;  // and not begun
  std::map<base::TrackId, std::pair<store::Fence, base::Version>> entries_;
};

class World {
 public:
  explicit World(std::uint64_t seed)
      : random_(seed), store_([this] { return now_; }), intake_(need(store_.open_session())) {
    EXPECT_TRUE(store_.migrate());
    EXPECT_TRUE(intake_->declare_fields({{"score", track::Type::kNumber, "score"}}));
    for (const char* const text : {kPings, kScores, kAfter}) {
      tracks_.push_back(publish(text));
    }
    // An event that the clock puts before its track's first version is not looked for.
    now_ = now_ + std::chrono::minutes(1);
  }

  store::Store& store() { return store_; }
  base::Instant now() const { return now_; }
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n));
  }
  bool chance(int percent) { return below(100) < percent; }
  bool calm() const { return calm_; }

  // Between two statements of a process: somebody else does something.
  void between(const Process& busy) {
    if (calm_ || meanwhile_) {
      return;
    }
    meanwhile_ = true;
    while (chance(25)) {
      Process& other = some_process();
      if (&other != &busy && chance(50)) {
        work_of(other);
      } else {
        happen();
      }
    }
    meanwhile_ = false;
  }

  void play() {
    for (int turn = 0; turn < kTurns; ++turn) {
      now_ = now_ + milliseconds(below(300));
      if (chance(5)) {
        snapshots_.push_back(store_.snapshot());
      }
      make_trouble();
      happen();
      Process& one = some_process();
      work_of(one);
      bury();
    }
    settle();
  }

  void check();

  base::Result<store::LedgerRow> row(store::GroupSession& group, base::TrackId track) {
    for (const store::LedgerRow& row : need(group.ledger())) {
      if (row.track == track) {
        return row;
      }
    }
    return base::fail(base::ErrorCode::kNotFound, "no row");
  }

 private:
  base::TrackId publish(const std::string& text) {
    store::Publish publish;
    publish.track = need(parse(text));
    publish.text = text;
    return need(intake_->publish(publish)).id;
  }

  // Somebody outside does something. How far a contact can come depends on its number.
  void happen() {
    const auto contact = static_cast<std::size_t>(below(kContacts));
    const std::string key = "c" + std::to_string(contact);
    const std::string number = R"({"n":)" + std::to_string(below(4)) + "}";
    switch (below(5)) {
      case 0:
        raise(key, 5 * static_cast<double>(contact % 6));
        break;
      case 1:
        record(key, "ping", number);
        break;
      case 2:
        record(key, "pong", number);
        break;
      case 3:
        record(key, contact % 3 == 0 ? "jump" : contact % 3 == 1 ? "left" : "other", "");
        break;
      default:
        if (visits_[key] < contact % 4) {
          ++visits_[key];
          record(key, "visit", "");
        }
    }
  }

  void raise(const std::string& key, double limit) {
    double& score = score_[key];
    score = std::min(score + 1 + static_cast<double>(below(15)), limit);
    store::ContactBatch batch;
    batch.key = {key};
    batch.fields = {{"score", track::Type::kNumber, "score"}};
    batch.columns.emplace_back().type = track::Type::kNumber;
    batch.columns[0].append(score);
    need(intake_->import_contacts(batch));
  }

  void record(const std::string& key, const std::string& name, const std::string& properties) {
    const std::string id = chance(50) ? std::to_string(below(50)) : "";
    need(intake_->record_events({{key, name, properties, "web", id.empty() ? id : name + id}}));
  }

  // Some seeds have much of it, and some next to none.
  bool trouble(int in_1000) { return below(1000) < in_1000 * trouble_ / 4; }

  void make_trouble() {
    if (processes_.empty() || (processes_.size() < 3 && chance(5))) {
      processes_.push_back(
          std::make_unique<Process>(*this, std::string(1, static_cast<char>('a' + below(3)))));
    }
    for (const base::TrackId track : tracks_) {
      const bool owned = std::any_of(processes_.begin(), processes_.end(),
                                     [&](const auto& one) { return one->owns(track); });
      if (!owned || trouble(20)) {
        some_process().take(track);
      }
    }
    if (trouble(60)) {
      some_process().die_after(static_cast<int>(below(25)));
      bury();
    }
    if (trouble(10)) {
      publish_again();
    }
    if (trouble(10) && !snapshots_.empty()) {
      fail_over();
    }
    if (trouble(10)) {
      now_ = now_ + milliseconds(below(16'000) - 8'000);  // the clock is set
    }
    if (trouble(10)) {
      EXPECT_TRUE(intake_->set_active("Pings", chance(50)));
      tell_owner(tracks_[0]);
    }
  }

  // The same with another word about it.
  void publish_again() {
    const char* const texts[] = {kPings, kScores, kAfter};
    const std::int64_t which = below(3);
    std::string text = texts[which];
    text.insert(text.find("about \"") + 7, "Edition " + std::to_string(++editions_) + ". ");
    publish(text);
    tell_owner(tracks_[static_cast<std::size_t>(which)]);
  }

  // That the row's epoch was raised.
  void tell_owner(base::TrackId track) {
    const auto group = need(store_.open_group_session());
    const store::LedgerRow now = need(row(*group, track));
    for (const auto& one : processes_) {
      if (now.owner == one->self()) {
        one->gained({track, now.timeline, now.epoch});
      }
    }
  }

  // To a standby that was behind.
  void fail_over() {
    store_.fail_over(
        snapshots_[static_cast<std::size_t>(below(static_cast<std::int64_t>(snapshots_.size())))]);
    snapshots_.clear();
    for (const auto& one : processes_) {
      one->begin_anew();
    }
  }

  Process& some_process() {
    return *processes_[static_cast<std::size_t>(
        below(static_cast<std::int64_t>(processes_.size())))];
  }

  void work_of(Process& one) {
    switch (below(4)) {
      case 0:
        one.go_round();
        break;
      case 1:
        for (work::BlockTask& block : one.cut()) {
          blocks_.push_back(std::move(block));
        }
        break;
      case 2:
        one.deliver();
        break;
      default:
        run_some_block(one);
    }
  }

  // A block may be handed out again, so one that was done may come once more, much later.
  void run_some_block(Process& one) {
    if (blocks_.empty()) {
      return;
    }
    const auto which = blocks_.begin() + below(static_cast<std::int64_t>(blocks_.size()));
    const work::BlockTask block = *which;
    if (chance(80)) {
      blocks_.erase(which);
    }
    one.run(block);
  }

  void bury() {
    std::erase_if(processes_, [](const auto& one) { return one->dead(); });
    if (processes_.empty()) {
      processes_.push_back(std::make_unique<Process>(*this, "d"));
    }
  }

  // Nothing fails any more, and one process does all that is left.
  void settle() {
    calm_ = true;
    now_ = now_ + std::chrono::minutes(5);  // past all that waits for a time, however it was set
    EXPECT_TRUE(intake_->set_active("Pings", true));
    processes_.clear();
    processes_.push_back(std::make_unique<Process>(*this, "e"));
    Process& last = *processes_.front();
    for (const base::TrackId track : tracks_) {
      last.take(track);
    }
    for (int turn = 0; turn < 40; ++turn) {
      now_ = now_ + milliseconds(250);
      while (last.go_round()) {
      }
      for (const work::BlockTask& block : last.cut()) {
        last.run(block);
      }
      last.deliver();
    }
  }

  friend class Process;

  std::mt19937_64 random_;
  base::Instant now_{1'800'000'000'000'000};
  store::model::ModelStore store_;
  std::unique_ptr<store::Session> intake_;
  std::vector<base::TrackId> tracks_;
  std::vector<std::unique_ptr<Process>> processes_;
  std::vector<work::BlockTask> blocks_;  // handed out
  std::vector<store::model::Data> snapshots_;
  std::map<std::string, double> score_;
  std::map<std::string, std::size_t> visits_;
  int editions_ = 0;
  std::int64_t trouble_ = below(5);  // of 4
  bool calm_ = false;
  bool meanwhile_ = false;
};

Process::Process(World& world, const std::string& name)
    : world_(world), group_(need(world.store().open_group_session())) {
  const base::PeerName peer(name);
  self_ = {peer, need(group_->begin_life(peer, ""))};
  callbacks_.made_due = [](base::TrackId) {};
  callbacks_.fenced = [this](const store::Fence& fence) { entries_.erase(fence.track); };
  callbacks_.problem = [](base::TrackId, const std::string& problem) { ADD_FAILURE() << problem; };
  callbacks_.database = [](bool, base::Tick) {};
  session_ = open();
  rounds_ = std::make_unique<work::Rounds>(*session_, callbacks_,
                                           [this] { return base::Tick{world_.now().us}; });
  runner_ = std::make_unique<work::BlockRunner>(open(), book_, self_,
                                                static_cast<std::int32_t>(self_.incarnation.get()));
}

std::unique_ptr<store::Session> Process::open() {
  return std::make_unique<FrailSession>(need(world_.store().open_session()),
                                        [this] { return fate(); });
}

Fate Process::fate() {
  world_.between(*this);
  if (dead()) {
    return Fate::kNotDone;
  }
  if (left_ && --*left_ == 0) {
    return world_.chance(50) ? Fate::kNotDone : Fate::kAnswerLost;
  }
  if (!world_.calm() && world_.chance(3)) {
    return world_.chance(50) ? Fate::kNotDone : Fate::kAnswerLost;
  }
  return Fate::kDone;
}

void Process::take(base::TrackId track) {
  const store::LedgerRow now = need(world_.row(*group_, track));
  if (!now.active) {
    return;
  }
  const store::TakeResult taken = need(group_->take(track, now.timeline, now.epoch, self_, {}));
  EXPECT_TRUE(taken.taken);
  gained({track, taken.row.timeline, taken.row.epoch});
}

void Process::begin_anew() {
  book_.forget_version();
  gained_.clear();
  for (const auto& [track, entry] : std::exchange(entries_, {})) {
    rounds_->disown(track);
  }
}

void Process::begin_gained() {
  if (gained_.empty() || !book_.refresh(*session_)) {
    return;
  }
  for (const auto& [track, fence] : std::exchange(gained_, {})) {
    const auto entry = book_.find(track);
    if (entry == nullptr || entry->program == nullptr) {
      ADD_FAILURE() << (entry == nullptr ? "no such track" : entry->problem);
      continue;
    }
    entries_[track] = {fence, entry->published.version};
    rounds_->own(fence, entry);
  }
}

bool Process::go_round() {
  begin_gained();
  return rounds_->go_round([] {});
}

std::vector<work::BlockTask> Process::cut() {
  begin_gained();
  std::vector<work::BlockTask> blocks;
  for (const auto& [track, entry] : entries_) {
    const auto due = session_->due(track, {}, world_.now(), world_.calm() ? 1000 : kLargestBlock);
    if (!due || due.value().empty()) {
      continue;
    }
    work::BlockTask block{entry.first, entry.second, {}};
    for (const store::DueItem& item : due.value()) {
      block.items.push_back({item.contact, item.entry, item.move_no});
    }
    blocks.push_back(std::move(block));
  }
  return blocks;
}

void Process::run(const work::BlockTask& block) { runner_->run(block); }

void Process::deliver() {
  if (!session_->hold_deliveries()) {
    return;
  }
  const auto due = session_->outbox_due(10);
  if (!due) {
    return;
  }
  std::vector<store::OutboxKey> keys;
  for (const store::OutboxDue& one : due.value()) {
    keys.push_back(one.key);
  }
  if (const auto taken = session_->take_deliveries(keys, self_, seconds(30), {}, {}); taken) {
    EXPECT_TRUE(taken.value().empty());  // nothing but requests to other tracks
  }
}

// -- what must be so at the end

struct Stand {
  std::string step;  // or the outcome
  bool stopped = false;
};

// Who is on the track, by contact and entry's key.
std::map<std::pair<base::ContactId, std::string>, std::vector<Stand>> stands(
    const store::model::Tables& tables, const std::string& name) {
  const store::model::ModelTrack& track = tables.tracks.at(name);
  std::map<std::pair<base::ContactId, std::string>, std::vector<Stand>> found;
  for (const auto& [key, position] : tables.positions) {
    if (key.track != track.id) {
      continue;
    }
    Stand stand;
    stand.stopped = position.state == track::PositionState::kStopped;
    for (const auto& [step, number] :
         stand.stopped ? track.numbering.outcomes : track.numbering.steps) {
      if (number == position.step) {
        stand.step = step;
      }
    }
    found[{key.contact, position.entry_key.value_or("")}].push_back(stand);
  }
  return found;
}

// Numbers of the contact's events of that name, in order.
std::vector<std::size_t> numbers(const std::vector<store::model::ModelEvent>& events,
                                 const std::string& name, const std::string& properties) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (events[i].name == name && events[i].properties == properties) {
      found.push_back(i + 1);
    }
  }
  return found;
}

void World::check() {
  const store::model::Tables& tables = store_.tables();
  const auto pings = stands(tables, "Pings");
  const auto scores = stands(tables, "Scores");
  const auto after = stands(tables, "After");
  std::size_t made = 0;
  for (const auto& [contact, row] : tables.contacts) {
    const auto has_events = tables.events.find(contact);
    const std::vector<store::model::ModelEvent> events =
        has_events == tables.events.end() ? std::vector<store::model::ModelEvent>()
                                          : has_events->second;
    SCOPED_TRACE(row.key);
    for (int n = 0; n < 4; ++n) {
      const std::string properties = R"({"n":)" + std::to_string(n) + "}";
      const auto pinged = numbers(events, "ping", properties);
      std::vector<std::size_t> ended = numbers(events, "pong", properties);
      const auto left = numbers(events, "left", "{}");
      ended.insert(ended.end(), left.begin(), left.end());
      const auto entries = pings.find({contact, std::to_string(n)});
      SCOPED_TRACE(properties);
      ASSERT_EQ(pinged.empty(), entries == pings.end());
      if (!pinged.empty()) {
        ++made;
        ASSERT_EQ(1U, entries->second.size());
        EXPECT_EQ(std::any_of(ended.begin(), ended.end(),
                              [&](std::size_t event) { return event > pinged.front(); }),
                  entries->second.front().stopped);
      }
    }
    const auto found = scores.find({contact, ""});
    ASSERT_NE(found, scores.end());
    ASSERT_EQ(1U, found->second.size());
    const Stand& stand = found->second.front();
    const auto value = row.values.find("score");
    const double score = value == row.values.end() ? 0 : std::get<double>(value->second);
    const std::size_t visits = numbers(events, "visit", "{}").size();
    EXPECT_FALSE(stand.step == "Low" && score >= 10);
    EXPECT_FALSE(stand.step == "Middle" && score >= 20);
    EXPECT_FALSE(stand.step == "Wait" && visits >= 2);
    EXPECT_EQ(stand.stopped, stand.step == "done");
    const auto there = after.find({contact, ""});
    EXPECT_EQ(visits >= 3 || stand.stopped, there != after.end());
    if (there != after.end()) {
      ASSERT_EQ(1U, there->second.size());
      // It may have come there before "Scores" gathered it, and was alone then.
      EXPECT_FALSE(stand.stopped && !there->second.front().stopped);
    }
  }
  EXPECT_EQ(made, pings.size());
  EXPECT_EQ(scores.size(), tables.contacts.size());
  for (const auto& [key, position] : tables.positions) {
    std::int32_t moves = 0;
    for (auto at = tables.journal.lower_bound({key, 0});
         at != tables.journal.end() && at->first.first == key; ++at) {
      EXPECT_EQ(moves + 1, at->second.from_move);
      moves = at->first.second;
    }
    EXPECT_EQ(position.move_no, moves);
  }
}

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

TEST(Crashes, OverlookNobodyAndDoNothingTwice) {
  const char* const one = std::getenv("SEED");
  const std::uint64_t first = from_environment("SEED", 1);
  const std::uint64_t last = one != nullptr ? first : from_environment("SEEDS", 500);
  for (std::uint64_t seed = first; seed <= last && !HasFailure(); ++seed) {
    SCOPED_TRACE("SEED=" + std::to_string(seed));
    World world(seed);
    world.play();
    world.check();
  }
}

}  // namespace
}  // namespace turnout::test
