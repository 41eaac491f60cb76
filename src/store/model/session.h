#pragma once

#include <memory>
#include <string>
#include <vector>

#include "store/model/tables.h"
#include "store/store.h"

namespace turnout::store::model {

// The error of a question about a track that there is not.
inline auto no_track(const std::string& name) {
  return base::fail(base::ErrorCode::kNotFound, "there is no track \"" + name + "\"");
}

class ModelSession final : public Session {
 public:
  explicit ModelSession(std::shared_ptr<Tables> tables) : t_(std::move(tables)) {}

  ConditionStyle condition_style() const override { return {}; }
  base::Result<base::Instant> now() override;
  base::Result<track::Catalogue> catalogue() override;
  base::Result<std::int64_t> catalogue_version() override;
  base::Result<void> declare_fields(const std::vector<track::Field>& fields) override;
  base::Result<ImportResult> import_contacts(const ContactBatch& batch) override;
  base::Result<RecordResult> record_events(const std::vector<NewEvent>& events) override;
  base::Result<std::vector<EventRow>> events(const std::vector<EventKey>& keys) override;
  base::Result<std::vector<EventRow>> events_since(const std::set<std::string>& names,
                                                   base::Instant since, const EventKey& after,
                                                   int limit) override;
  base::Result<Published> publish(const Publish& publish) override;
  base::Result<Published> plan(const Publish& publish) override;
  base::Result<void> set_active(const std::string& track, bool active) override;
  base::Result<std::vector<TrackVersion>> tracks() override;
  base::Result<TrackVersion> track_version(const std::string& track,
                                           base::Version version) override;
  base::Result<std::vector<DueItem>> due(base::TrackId track, const DueCursor& from,
                                         base::Instant until, int limit) override;
  base::Result<base::Instant> next_due(base::TrackId track) override;
  base::Result<GatherResult> gather(const Fence& fence, const Entrance& entrance,
                                    const std::string& where,
                                    const std::vector<track::Value>& values, base::ContactId after,
                                    int chunk) override;
  base::Result<GatherResult> gather_these(const Fence& fence, const Entrance& entrance,
                                          const std::string& where,
                                          const std::vector<track::Value>& values,
                                          const std::vector<base::ContactId>& contacts) override;
  base::Result<GatherResult> enter(const Fence& fence, base::Version version,
                                   const std::optional<base::Instant>& stopped_by,
                                   const std::vector<Arrival>& arrivals) override;
  base::Result<TakenOff> take_off(const Fence& fence, base::Version version, std::int32_t outcome,
                                  const std::vector<TakeOff>& asked) override;
  base::Result<track::ContactBlock> load_contacts(base::ContactId after, int limit,
                                                  const Reads& reads) override;
  base::Result<track::ContactBlock> load_these(const std::vector<base::ContactId>& contacts,
                                               const Reads& reads) override;
  base::Result<FeedBatch> changes(const FeedCursor& from, int limit) override;
  base::Result<std::vector<Delayed>> delayed(base::TrackId track, const DelayedCursor& after,
                                             int limit) override;
  base::Result<std::int64_t> reschedule(const Fence& fence,
                                        const std::vector<Reschedule>& what) override;
  base::Result<std::vector<PositionRow>> positions(
      base::TrackId track, const std::vector<base::ContactId>& contacts) override;
  base::Result<std::int64_t> wake(const Fence& fence, const std::vector<Wake>& wakes) override;
  base::Result<std::optional<std::string>> cursor(base::TrackId track,
                                                  const std::string& clause) override;
  base::Result<void> set_cursor(const Fence& fence, const std::string& clause,
                                const std::string& text) override;
  base::Result<void> load(base::TrackId track, const std::vector<BlockItem>& items,
                          const Reads& reads, track::ContactBlock& out) override;
  base::Result<CommitResult> commit(const Commit& commit) override;
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

 private:
  // Puts the contact on the track if it never was on it.
  bool enter(const Fence& fence, const Entrance& entrance, base::ContactId contact);
  // Records those of the deliveries that are events, and takes them out.
  void record_asked(std::vector<Delivery>& deliveries);
  void record_capped(const std::vector<Delivery>& capped);
  // Takes out of what was taken what the rules hold back.
  void hold_back(const SendRules& rules, std::vector<Delivery>& taken);
  std::int64_t sent(base::TrackId track, base::ContactId contact, const SendCap& cap) const;
  bool arrive(const Fence& fence, base::Version version,
              const std::optional<base::Instant>& stopped_by, const Arrival& arrival);

  const std::shared_ptr<Tables> t_;
};

// The entry's messages that nobody has taken are not sent.
void withdraw_messages(Tables& tables, const PositionKey& entry);

// The value of a contact's column, whichever it is.
track::Value value_of(const Contact& contact, const std::string& column);

}  // namespace turnout::store::model
