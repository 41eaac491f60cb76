#pragma once

// The part of a Session that is written once for both databases, on a Connection: the catalogue,
// tracks and publishing, cursors, deliveries, questions. What runs with every block is left to the
// sessions of each database.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/sql/connection.h"
#include "store/store.h"

namespace turnout::store::sql {

// The setting that says in which timeline deliveries were last held; at first, that in which the
// schema was made.
inline constexpr const char* kHeldIn = "deliveries_held_in";

// What `rule` of the tally says beside the numbers of rules and clauses, which count moves:
inline constexpr int kTallyEntered = -1;  // entries that came in on the step
inline constexpr int kTallyNet = -2;      // moves that ended on it less those that began on it
inline constexpr int kTallyMapped = -3;   // moves by a publish that took the step away
constexpr bool is_move(std::int64_t rule) { return rule != kTallyEntered && rule != kTallyNet; }

class SqlSession : public Session {
 public:
  base::Result<base::Instant> now() override;
  base::Result<track::Catalogue> catalogue() override;
  base::Result<std::int64_t> catalogue_version() override;
  base::Result<void> declare_fields(const std::vector<track::Field>& fields) override;
  base::Result<RecordResult> record_events(const std::vector<NewEvent>& events) override;
  base::Result<std::vector<EventRow>> events(const std::vector<EventKey>& keys) override;
  base::Result<std::vector<EventRow>> events_since(const std::set<std::string>& names,
                                                   base::Instant since, const EventKey& after,
                                                   int limit) override;
  base::Result<GatherResult> enter(const Fence& fence, base::Version version,
                                   const std::optional<base::Instant>& stopped_by,
                                   const std::vector<Arrival>& arrivals) override;
  base::Result<TakenOff> take_off(const Fence& fence, base::Version version, std::int32_t outcome,
                                  const std::vector<TakeOff>& asked) override;
  base::Result<Published> publish(const Publish& publish) override;
  base::Result<Published> plan(const Publish& publish) override;
  base::Result<void> set_active(const std::string& track, bool active) override;
  base::Result<std::vector<TrackVersion>> tracks() override;
  base::Result<TrackVersion> track_version(const std::string& track,
                                           base::Version version) override;
  base::Result<std::vector<Delayed>> delayed(base::TrackId track, const DelayedCursor& after,
                                             int limit) override;
  base::Result<std::int64_t> reschedule(const Fence& fence,
                                        const std::vector<Reschedule>& what) override;
  base::Result<std::optional<std::string>> cursor(base::TrackId track,
                                                  const std::string& clause) override;
  base::Result<void> set_cursor(const Fence& fence, const std::string& clause,
                                const std::string& text) override;
  base::Result<std::vector<OutboxDue>> outbox_due(int limit) override;
  base::Result<std::vector<Delivery>> take_deliveries(const std::vector<OutboxKey>& keys,
                                                      const PeerId& self, base::Duration lease,
                                                      const std::vector<track::Field>& fields,
                                                      const SendRules& rules) override;
  base::Result<std::int64_t> note_deliveries(const PeerId& self,
                                             const std::vector<DeliveryResult>& results) override;
  base::Result<std::int64_t> give_up_deliveries(const std::vector<PeerId>& ended) override;
  base::Result<std::int64_t> hold_deliveries() override;
  base::Result<Report> report(const std::string& track) override;
  base::Result<Progress> progress(const std::string& track) override;
  base::Result<ContactReport> why(const std::string& contact_key) override;
  base::Result<std::vector<OutboxRow>> outbox(std::optional<OutboxState> state, int limit) override;

  // Statements sent so far: the cost of a call, for tests.
  std::int64_t statements() const { return connection_->statements(); }

 protected:
  explicit SqlSession(std::unique_ptr<Connection> connection);
  Connection& connection() { return *connection_; }

 private:
  std::unique_ptr<Connection> connection_;
};

}  // namespace turnout::store::sql
