#pragma once

// A session whose statements fail when they are told to: not carried out, or carried out with the
// answer lost.

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "store/store.h"

namespace turnout::test {

enum class Fate { kDone, kNotDone, kAnswerLost };

class FrailSession final : public store::Session {
 public:
  // `fate` says what becomes of the next statement.
  FrailSession(std::unique_ptr<store::Session> session, std::function<Fate()> fate)
      : session_(std::move(session)), fate_(std::move(fate)) {}

  store::ConditionStyle condition_style() const override { return session_->condition_style(); }
  base::Result<base::Instant> now() override {
    return ask([&] { return session_->now(); });
  }
  base::Result<track::Catalogue> catalogue() override {
    return ask([&] { return session_->catalogue(); });
  }
  base::Result<std::int64_t> catalogue_version() override {
    return ask([&] { return session_->catalogue_version(); });
  }
  base::Result<void> declare_fields(const std::vector<track::Field>& fields) override {
    return ask([&] { return session_->declare_fields(fields); });
  }
  base::Result<store::ImportResult> import_contacts(const store::ContactBatch& batch) override {
    return ask([&] { return session_->import_contacts(batch); });
  }
  base::Result<store::RecordResult> record_events(
      const std::vector<store::NewEvent>& events) override {
    return ask([&] { return session_->record_events(events); });
  }
  base::Result<std::vector<store::EventRow>> events(
      const std::vector<store::EventKey>& keys) override {
    return ask([&] { return session_->events(keys); });
  }
  base::Result<std::vector<store::EventRow>> events_since(const std::set<std::string>& names,
                                                          base::Instant since,
                                                          const store::EventKey& after,
                                                          int limit) override {
    return ask([&] { return session_->events_since(names, since, after, limit); });
  }
  base::Result<store::Published> publish(const store::Publish& publish) override {
    return ask([&] { return session_->publish(publish); });
  }
  base::Result<store::Published> plan(const store::Publish& publish) override {
    return ask([&] { return session_->plan(publish); });
  }
  base::Result<void> set_active(const std::string& track, bool active) override {
    return ask([&] { return session_->set_active(track, active); });
  }
  base::Result<std::vector<store::TrackVersion>> tracks() override {
    return ask([&] { return session_->tracks(); });
  }
  base::Result<store::TrackVersion> track_version(const std::string& track,
                                                  base::Version version) override {
    return ask([&] { return session_->track_version(track, version); });
  }
  base::Result<std::vector<store::DueItem>> due(base::TrackId track, const store::DueCursor& from,
                                                base::Instant until, int limit) override {
    return ask([&] { return session_->due(track, from, until, limit); });
  }
  base::Result<base::Instant> next_due(base::TrackId track) override {
    return ask([&] { return session_->next_due(track); });
  }
  base::Result<store::GatherResult> gather(const store::Fence& fence,
                                           const store::Entrance& entrance,
                                           const std::string& where,
                                           const std::vector<track::Value>& values,
                                           base::ContactId after, int chunk) override {
    return ask([&] { return session_->gather(fence, entrance, where, values, after, chunk); });
  }
  base::Result<store::GatherResult> gather_these(
      const store::Fence& fence, const store::Entrance& entrance, const std::string& where,
      const std::vector<track::Value>& values,
      const std::vector<base::ContactId>& contacts) override {
    return ask([&] { return session_->gather_these(fence, entrance, where, values, contacts); });
  }
  base::Result<store::GatherResult> enter(const store::Fence& fence, base::Version version,
                                          const std::optional<base::Instant>& stopped_by,
                                          const std::vector<store::Arrival>& arrivals) override {
    return ask([&] { return session_->enter(fence, version, stopped_by, arrivals); });
  }
  base::Result<store::TakenOff> take_off(const store::Fence& fence, base::Version version,
                                         std::int32_t outcome,
                                         const std::vector<store::TakeOff>& asked) override {
    return ask([&] { return session_->take_off(fence, version, outcome, asked); });
  }
  base::Result<track::ContactBlock> load_contacts(base::ContactId after, int limit,
                                                  const store::Reads& reads) override {
    return ask([&] { return session_->load_contacts(after, limit, reads); });
  }
  base::Result<track::ContactBlock> load_these(const std::vector<base::ContactId>& contacts,
                                               const store::Reads& reads) override {
    return ask([&] { return session_->load_these(contacts, reads); });
  }
  base::Result<store::FeedBatch> changes(const store::FeedCursor& from, int limit) override {
    return ask([&] { return session_->changes(from, limit); });
  }
  base::Result<std::vector<store::PositionRow>> positions(
      base::TrackId track, const std::vector<base::ContactId>& contacts) override {
    return ask([&] { return session_->positions(track, contacts); });
  }
  base::Result<std::int64_t> wake(const store::Fence& fence,
                                  const std::vector<store::Wake>& wakes) override {
    return ask([&] { return session_->wake(fence, wakes); });
  }
  base::Result<std::vector<store::Delayed>> delayed(base::TrackId track,
                                                    const store::DelayedCursor& after,
                                                    int limit) override {
    return ask([&] { return session_->delayed(track, after, limit); });
  }
  base::Result<std::int64_t> reschedule(const store::Fence& fence,
                                        const std::vector<store::Reschedule>& what) override {
    return ask([&] { return session_->reschedule(fence, what); });
  }
  base::Result<std::optional<std::string>> cursor(base::TrackId track,
                                                  const std::string& clause) override {
    return ask([&] { return session_->cursor(track, clause); });
  }
  base::Result<void> set_cursor(const store::Fence& fence, const std::string& clause,
                                const std::string& text) override {
    return ask([&] { return session_->set_cursor(fence, clause, text); });
  }
  base::Result<void> load(base::TrackId track, const std::vector<store::BlockItem>& items,
                          const store::Reads& reads, track::ContactBlock& out) override {
    return ask([&] { return session_->load(track, items, reads, out); });
  }
  base::Result<store::CommitResult> commit(const store::Commit& commit) override {
    return ask([&] { return session_->commit(commit); });
  }
  base::Result<std::vector<store::OutboxDue>> outbox_due(int limit) override {
    return ask([&] { return session_->outbox_due(limit); });
  }
  base::Result<std::vector<store::Delivery>> take_deliveries(
      const std::vector<store::OutboxKey>& keys, const store::PeerId& self, base::Duration lease,
      const std::vector<track::Field>& fields, const store::SendRules& rules) override {
    return ask([&] { return session_->take_deliveries(keys, self, lease, fields, rules); });
  }
  base::Result<std::int64_t> note_deliveries(
      const store::PeerId& self, const std::vector<store::DeliveryResult>& results) override {
    return ask([&] { return session_->note_deliveries(self, results); });
  }
  base::Result<std::int64_t> give_up_deliveries(const std::vector<store::PeerId>& ended) override {
    return ask([&] { return session_->give_up_deliveries(ended); });
  }
  base::Result<std::int64_t> hold_deliveries() override {
    return ask([&] { return session_->hold_deliveries(); });
  }
  base::Result<store::Report> report(const std::string& track) override {
    return ask([&] { return session_->report(track); });
  }
  base::Result<store::Progress> progress(const std::string& track) override {
    return ask([&] { return session_->progress(track); });
  }
  base::Result<store::ContactReport> why(const std::string& contact_key) override {
    return ask([&] { return session_->why(contact_key); });
  }
  base::Result<std::vector<store::OutboxRow>> outbox(std::optional<store::OutboxState> state,
                                                     int limit) override {
    return ask([&] { return session_->outbox(state, limit); });
  }

 private:
  template <class Statement>
  auto ask(Statement statement) -> decltype(statement()) {
    const Fate fate = fate_();
    if (fate == Fate::kNotDone) {
      return base::fail(base::ErrorCode::kUnavailable, "not done");
    }
    auto answer = statement();
    if (fate == Fate::kAnswerLost) {
      return base::fail(base::ErrorCode::kUnavailable, "the answer is lost");
    }
    return answer;
  }

  const std::unique_ptr<store::Session> session_;
  const std::function<Fate()> fate_;
};

}  // namespace turnout::test
