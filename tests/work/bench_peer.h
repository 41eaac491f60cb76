#pragma once

// One engine on a real database, without a peer group: the test says who owns what, and runs the
// loop.

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include <gtest/gtest.h>

#include "lang/parser.h"
#include "store/store.h"
#include "work/engine.h"

namespace turnout::test {

inline base::Result<track::Track> parse(const std::string& text) {
  lang::Parsed parsed = lang::parse(text);
  if (!parsed.ok()) {
    return base::fail(base::ErrorCode::kInvalid, parsed.diagnostics.front().message);
  }
  return std::move(parsed.track);
}

template <class T>
T need(base::Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().message;
    std::abort();
  }
  return std::move(result.value());
}

// A database of its own for each test, in a folder that goes with it.
class Database {
 public:
  Database() {
    char pattern[] = "/tmp/turnout-work-XXXXXX";
    folder_ = mkdtemp(pattern);
    store_ = need(store::open_store("sqlite:" + folder_ + "/test.db"));
    EXPECT_TRUE(store_->migrate());
  }
  ~Database() {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  store::Store& store() { return *store_; }

 private:
  std::string folder_;
  std::unique_ptr<store::Store> store_;
};

// A peer that owns whatever it is told to.
class BenchPeer {
 public:
  BenchPeer(store::Store& store, const std::string& name)
      : session_(need(store.open_session())), group_(need(store.open_group_session())) {
    const base::PeerName peer(name);
    self_ = {peer, need(group_->begin_life(peer, ""))};
    work::EngineConfig config;
    config.group.name = peer;
    config.group.incarnation = self_.incarnation;
    config.group.cycle = std::chrono::milliseconds(100);
    config.peer_number = static_cast<std::int32_t>(self_.incarnation.get());
    work::EngineHooks hooks;
    hooks.post = [this](std::function<void()> job) {
      {
        const std::lock_guard lock(mutex_);
        jobs_.push_back(std::move(job));
      }
      wake_.notify_one();
    };
    hooks.send = [](const base::PeerName&, const group::Message&) {};
    hooks.load_changed = [](const group::Load&) {};
    hooks.drained = [](base::TrackId) {};
    hooks.database = [](bool, base::Tick) {};
    hooks.read_row = [this](base::TrackId track,
                            const std::function<void(const work::FoundRow&)>& then) {
      ++fenced_;
      then(row_answers ? work::find_row(*group_, track) : std::nullopt);
    };
    hooks.warn = [](const std::string&) {};
    hooks.catalogue_refreshed = [this] { ++refreshed_; };
    hooks.acted = [] {};
    engine_ = need(work::Engine::start(config, store, book_, self_, hooks, base::boot_now()));
    engine_->notice(group::Resumed{}, base::boot_now());
  }
  ~BenchPeer() { engine_.reset(); }
  BenchPeer(const BenchPeer&) = delete;
  BenchPeer& operator=(const BenchPeer&) = delete;

  store::Session& session() { return *session_; }
  work::Engine& engine() { return *engine_; }
  const store::PeerId& self() const { return self_; }
  int fenced() const { return fenced_; }
  int refreshed() const { return refreshed_; }  // times that the book was brought up to date
  // Whether the database answers when the ledger's row is asked for.
  bool row_answers = true;

  store::Published publish(const std::string& text) {
    store::Publish publish;
    publish.track = need(parse(text));
    publish.text = text;
    return need(session_->publish(publish));
  }

  // Takes the ledger's row, whoever owns it.
  store::Fence take(base::TrackId track) {
    for (const store::LedgerRow& row : need(group_->ledger())) {
      if (row.track == track) {
        const store::TakeResult taken =
            need(group_->take(track, row.timeline, row.epoch, self_, {}));
        EXPECT_TRUE(taken.taken);
        return {track, taken.row.timeline, taken.row.epoch};
      }
    }
    ADD_FAILURE() << "the ledger has no such row";
    return {};
  }

  // Takes it and tells the engine.
  void own(base::TrackId track) {
    const store::Fence fence = take(track);
    engine_->notice(group::TrackGained{track, {fence.timeline, fence.epoch}}, base::boot_now());
  }

  // Runs the loop until it is so; false after 20 s.
  bool run_until(const std::function<bool()>& so) {
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!so()) {
      std::deque<std::function<void()>> jobs;
      {
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, std::chrono::milliseconds(5), [this] { return !jobs_.empty(); });
        jobs.swap(jobs_);
      }
      for (const auto& job : jobs) {
        job();
      }
      if (const base::Tick now = base::boot_now(); now >= engine_->next_tick()) {
        engine_->tick(now);
      }
      if (std::chrono::steady_clock::now() > patience) {
        return false;
      }
    }
    return true;
  }

  store::Report report(const std::string& track) { return need(session_->report(track)); }

  std::int64_t stopped(const std::string& track, const std::string& outcome) {
    const store::Report now = report(track);
    const auto found = now.stopped.find(outcome);
    return found == now.stopped.end() ? 0 : found->second;
  }

 private:
  std::unique_ptr<store::Session> session_;
  std::unique_ptr<store::GroupSession> group_;
  store::PeerId self_;
  work::TrackBook book_{parse};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  int fenced_ = 0;
  int refreshed_ = 0;
  std::unique_ptr<work::Engine> engine_;
};

// Contacts c1 … cN with a number in `score` and, from `vip_from` on, true in `vip`.
inline void add_contacts(store::Session& session, int from, int to, double score) {
  store::ContactBatch batch;
  batch.fields = {{"email", track::Type::kText, "email"}, {"score", track::Type::kNumber, "score"}};
  for (const track::Field& field : batch.fields) {
    batch.columns.emplace_back().type = field.type;
  }
  for (int i = from; i <= to; ++i) {
    batch.key.push_back("c" + std::to_string(i));
    batch.columns[0].append("c" + std::to_string(i) + "@example.com");
    batch.columns[1].append(score);
  }
  need(session.import_contacts(batch));
}

}  // namespace turnout::test
