#include "link/wire_convert.h"

#include <limits>
#include <utility>

#include "base/check.h"
#include "link/wire.h"

namespace turnout::link {
namespace {

using base::ContactId;
using base::Duration;
using base::Epoch;
using base::Incarnation;
using base::PeerName;
using base::Timeline;
using base::TrackId;
using base::Version;

// Numbers that our side counts in signed integers travel unsigned; a negative one is a bug of ours.
std::uint32_t positive(std::int32_t value) {
  CHECK(value >= 0);
  return static_cast<std::uint32_t>(value);
}

std::uint64_t positive64(std::int64_t value) {
  CHECK(value >= 0);
  return static_cast<std::uint64_t>(value);
}

bool take(std::uint32_t from, std::int32_t& to) {
  to = static_cast<std::int32_t>(from);
  return to >= 0;
}

bool take64(std::uint64_t from, std::int64_t& to) {
  to = static_cast<std::int64_t>(from);
  return to >= 0;
}

bool take_name(const std::string& from, PeerName& to, bool may_be_empty) {
  to = PeerName(from);
  return from.size() <= group::kMaxNameBytes && (may_be_empty || !from.empty());
}

bool take_slots(const wire::Slots& from, group::Slots& to) {
  return take(from.bulk(), to.bulk) && take(from.single(), to.single) &&
         to.bulk <= group::kMaxSlots && to.single <= group::kMaxSlots;
}

void write_slots(const group::Slots& from, wire::Slots& to) {
  to.set_bulk(positive(from.bulk));
  to.set_single(positive(from.single));
}

void write_credit(const group::Credit& from, wire::Credit& to) {
  to.set_owner(from.owner.get());
  to.set_number(from.number);
  to.set_session(from.session);
  to.set_received_bulk(from.received_bulk);
  to.set_received_single(from.received_single);
  if (from.window != group::Slots()) {
    write_slots(from.window, *to.mutable_window());
  }
}

bool take_credit(const wire::Credit& from, group::Credit& to) {
  to.number = from.number();
  to.session = from.session();
  to.received_bulk = from.received_bulk();
  to.received_single = from.received_single();
  return take_name(from.owner(), to.owner, true) && take_slots(from.window(), to.window);
}

// A column that has one value for all rows, or one per row.
template <class Rows, class Get, class Field>
void write_column(const Rows& rows, Get get, Field& field) {
  bool same = true;
  for (const auto& row : rows) {
    same = same && get(row) == get(rows.front());
  }
  field.Reserve(same ? 1 : static_cast<int>(rows.size()));
  for (const auto& row : rows) {
    field.Add(get(row));
    if (same) {
      break;
    }
  }
}

template <class Field>
bool column_fits(const Field& field, int rows) {
  return field.size() == rows || (rows > 0 && field.size() == 1);
}

template <class Field>
auto column(const Field& field, int row) {
  return field.Get(field.size() == 1 ? 0 : row);
}

// Differences are taken modulo 2^64, so that no pair of ids overflows.
std::int64_t difference(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

std::int64_t sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

template <class Rows>
void write_items(const Rows& rows, wire::Items& to) {
  CHECK(rows.size() <= kMaxItems);
  to.mutable_contact_delta()->Reserve(static_cast<int>(rows.size()));
  std::int64_t before = 0;
  for (const auto& row : rows) {
    to.add_contact_delta(difference(row.contact.get(), before));
    before = row.contact.get();
  }
  write_column(rows, [](const auto& row) { return row.entry; }, *to.mutable_entry());
  write_column(rows, [](const auto& row) { return row.move_no; }, *to.mutable_move_no());
}

template <class Rows>
bool take_items(const wire::Items& from, Rows& to) {
  const int rows = from.contact_delta_size();
  if (static_cast<std::size_t>(rows) > kMaxItems || !column_fits(from.entry(), rows) ||
      !column_fits(from.move_no(), rows)) {
    return false;
  }
  to.resize(static_cast<std::size_t>(rows));
  std::int64_t contact = 0;
  for (int i = 0; i < rows; ++i) {
    auto& row = to[static_cast<std::size_t>(i)];
    contact = sum(contact, from.contact_delta(i));
    row.contact = ContactId(contact);
    row.entry = column(from.entry(), i);
    row.move_no = column(from.move_no(), i);
  }
  return true;
}

// A field that is added to a message and not to the wire would be lost without a word. These do not
// compile when the number of members changes: write and read the new one, then count it here.
[[maybe_unused]] void count_members(const group::Advertisement& advertisement,
                                    const group::Credit& credit, const group::BlockMessage& message,
                                    const group::Block& block, const group::BlockReport& report,
                                    const group::Refusal& refusal, const group::OwnedList& list,
                                    const group::OwnedTrack& owned, const group::Item& item,
                                    const group::DeliveryKey& key, const group::Handout& handout,
                                    const group::Claim& claim, const group::Backlog& backlog,
                                    const group::Assign& assign, const group::Cede& cede,
                                    const group::CreditGrant& grant) {
  [[maybe_unused]] const auto& [a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15,
                                a16, a17, a18, a19, a20, a21, a22, a23] = advertisement;
  [[maybe_unused]] const auto& [c1, c2, c3, c4, c5, c6] = credit;
  [[maybe_unused]] const auto& [m1, m2, m3, m4, m5, m6] = message;
  [[maybe_unused]] const auto& [b1, b2, b3, b4, b5, b6, b7, b8] = block;
  [[maybe_unused]] const auto& [r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13, r14] =
      report;
  [[maybe_unused]] const auto& [f1, f2, f3, f4, f5, f6, f7, f8, f9, f10] = refusal;
  [[maybe_unused]] const auto& [l1, l2, l3] = list;
  [[maybe_unused]] const auto& [o1, o2, o3] = owned;
  [[maybe_unused]] const auto& [i1, i2, i3] = item;
  [[maybe_unused]] const auto& [k1, k2, k3, k4, k5] = key;
  [[maybe_unused]] const auto& [h1, h2, h3] = handout;
  [[maybe_unused]] const auto& [q1, q2, q3] = claim;
  [[maybe_unused]] const auto& [g1, g2, g3] = backlog;
  [[maybe_unused]] const auto& [s1, s2, s3, s4, s5] = assign;
  [[maybe_unused]] const auto& [d1, d2, d3, d4] = cede;
  [[maybe_unused]] const auto& [t1, t2] = grant;
}

Read verdict(bool ok) { return ok ? Read::kOk : Read::kInvalid; }

bool take_claims(const wire::Advertisement& from, group::Advertisement& to) {
  bool ok = true;
  to.claims.resize(static_cast<std::size_t>(from.claims_size()));
  for (int i = 0; i < from.claims_size(); ++i) {
    group::Claim& claim = to.claims[static_cast<std::size_t>(i)];
    claim.track = TrackId(from.claims(i).track());
    ok = take(from.claims(i).counter(), claim.counter) &&
         take(from.claims(i).owned_at_claim(), claim.owned_at_claim) && ok;
  }
  to.backlog.resize(static_cast<std::size_t>(from.backlog_size()));
  for (int i = 0; i < from.backlog_size(); ++i) {
    group::Backlog& backlog = to.backlog[static_cast<std::size_t>(i)];
    backlog.track = TrackId(from.backlog(i).track());
    ok = take(from.backlog(i).bulk(), backlog.bulk) &&
         take(from.backlog(i).single(), backlog.single) && ok;
  }
  to.credits.resize(static_cast<std::size_t>(from.credits_size()));
  for (int i = 0; i < from.credits_size(); ++i) {
    ok = take_credit(from.credits(i), to.credits[static_cast<std::size_t>(i)]) && ok;
  }
  return ok;
}

}  // namespace

void write(const group::Advertisement& from, wire::Advertisement& to) {
  to.set_group(from.group);
  to.set_protocol(positive(from.protocol));
  to.set_name(from.name.get());
  to.set_incarnation(from.incarnation.get());
  to.set_sequence(from.sequence);
  to.set_cycle_us(from.cycle.count());
  to.set_miss_limit(positive(from.miss_limit));
  to.set_address(from.address);
  to.set_phase(static_cast<wire::PeerPhase>(from.phase));
  to.set_fit(from.fit);
  to.set_master(from.master);
  to.set_master_name(from.master_name.get());
  to.set_master_timeline(from.master_timeline.get());
  to.set_master_epoch(from.master_epoch.get());
  to.set_owned(positive(from.owned));
  to.set_owned_hash(from.owned_hash);
  for (const group::Claim& claim : from.claims) {
    wire::Claim& out = *to.add_claims();
    out.set_track(claim.track.get());
    out.set_counter(positive(claim.counter));
    out.set_owned_at_claim(positive(claim.owned_at_claim));
  }
  to.set_catalogue(from.catalogue);
  to.set_last_commit_age_us(from.last_commit_age.count());
  if (from.slots != group::Slots()) {
    write_slots(from.slots, *to.mutable_slots());
  }
  to.set_deliveries(positive(from.deliveries));
  for (const group::Backlog& backlog : from.backlog) {
    wire::Backlog& out = *to.add_backlog();
    out.set_track(backlog.track.get());
    out.set_bulk(positive(backlog.bulk));
    out.set_single(positive(backlog.single));
  }
  for (const group::Credit& credit : from.credits) {
    write_credit(credit, *to.add_credits());
  }
}

Read read(const wire::Advertisement& from, group::Advertisement& to) {
  if (!wire::PeerPhase_IsValid(from.phase())) {
    return Read::kUnknown;
  }
  to.group = from.group();
  to.incarnation = Incarnation(from.incarnation());
  to.sequence = from.sequence();
  to.cycle = Duration(from.cycle_us());
  to.address = from.address();
  to.phase = static_cast<group::PeerPhase>(from.phase());
  to.fit = from.fit();
  to.master = from.master();
  to.master_timeline = Timeline(from.master_timeline());
  to.master_epoch = Epoch(from.master_epoch());
  to.owned_hash = from.owned_hash();
  to.catalogue = from.catalogue();
  to.last_commit_age = Duration(from.last_commit_age_us());
  // Cycle and miss limit are multiplied by what reads them, so their ranges are checked here.
  const bool times = to.cycle >= group::kMinCycle && to.cycle <= group::kMaxCycle &&
                     to.last_commit_age >= Duration::zero();
  const bool sizes = from.group().size() <= group::kMaxGroupBytes &&
                     from.address().size() <= group::kMaxAddressBytes;
  return verdict(times && sizes && take(from.protocol(), to.protocol) &&
                 take_name(from.name(), to.name, false) &&
                 take_name(from.master_name(), to.master_name, true) &&
                 take(from.miss_limit(), to.miss_limit) && to.miss_limit <= group::kMaxMissLimit &&
                 take(from.owned(), to.owned) && take(from.deliveries(), to.deliveries) &&
                 take_slots(from.slots(), to.slots) && take_claims(from, to));
}

void write(const group::OwnedList& from, wire::OwnedList& to) {
  to.set_incarnation(from.incarnation.get());
  to.set_sequence(from.sequence);
  std::int32_t before = 0;
  for (const group::OwnedTrack& owned : from.tracks) {
    CHECK(owned.track.get() >= before);
    to.add_track_delta(owned.track.get() - before);
    before = owned.track.get();
  }
  write_column(
      from.tracks, [](const auto& owned) { return owned.timeline.get(); }, *to.mutable_timeline());
  write_column(
      from.tracks, [](const auto& owned) { return owned.epoch.get(); }, *to.mutable_epoch());
}

Read read(const wire::OwnedList& from, group::OwnedList& to) {
  to.incarnation = Incarnation(from.incarnation());
  to.sequence = from.sequence();
  const int rows = from.track_delta_size();
  if (!column_fits(from.timeline(), rows) || !column_fits(from.epoch(), rows)) {
    return Read::kInvalid;
  }
  std::int32_t track = 0;
  to.tracks.resize(static_cast<std::size_t>(rows));
  for (int i = 0; i < rows; ++i) {
    const std::int32_t delta = from.track_delta(i);
    if (delta < 0 || delta > std::numeric_limits<std::int32_t>::max() - track) {
      return Read::kInvalid;
    }
    track += delta;
    to.tracks[static_cast<std::size_t>(i)] = {TrackId(track), Timeline(column(from.timeline(), i)),
                                              Epoch(column(from.epoch(), i))};
  }
  return Read::kOk;
}

void write(const group::OwnedRequest& from, wire::OwnedRequest& to) {
  to.set_incarnation(from.incarnation.get());
}

Read read(const wire::OwnedRequest& from, group::OwnedRequest& to) {
  to.incarnation = Incarnation(from.incarnation());
  return Read::kOk;
}

void write(const group::Assign& from, wire::Assign& to) {
  to.set_incarnation(from.incarnation.get());
  to.set_master_epoch(from.master_epoch.get());
  to.set_track(from.track.get());
  to.set_timeline(from.timeline.get());
  to.set_epoch(from.epoch.get());
}

Read read(const wire::Assign& from, group::Assign& to) {
  to.incarnation = Incarnation(from.incarnation());
  to.master_epoch = Epoch(from.master_epoch());
  to.track = TrackId(from.track());
  to.timeline = Timeline(from.timeline());
  to.epoch = Epoch(from.epoch());
  return Read::kOk;
}

void write(const group::Cede& from, wire::Cede& to) {
  to.set_incarnation(from.incarnation.get());
  to.set_track(from.track.get());
  to.set_timeline(from.timeline.get());
  to.set_epoch(from.epoch.get());
}

Read read(const wire::Cede& from, group::Cede& to) {
  to.incarnation = Incarnation(from.incarnation());
  to.track = TrackId(from.track());
  to.timeline = Timeline(from.timeline());
  to.epoch = Epoch(from.epoch());
  return Read::kOk;
}

void write(const group::BlockMessage& from, wire::Block& to) {
  CHECK(from.block != nullptr);
  const group::Block& block = *from.block;
  to.set_incarnation(from.incarnation.get());
  to.set_session(from.session);
  to.set_serial(from.serial);
  to.set_attempt(positive(from.attempt));
  if (from.backlog != group::Slots()) {
    to.mutable_backlog()->set_bulk(positive(from.backlog.bulk));
    to.mutable_backlog()->set_single(positive(from.backlog.single));
  }
  to.set_id(block.id);
  to.set_kind(static_cast<wire::BlockKind>(block.kind));
  to.set_track(block.track.get());
  to.set_version(block.version.get());
  to.set_timeline(block.timeline.get());
  to.set_epoch(block.epoch.get());
  to.set_cut_at_us(block.cut_at.us);
  write_items(block.items, *to.mutable_items());
}

Read read(const wire::Block& from, group::BlockMessage& to) {
  if (!wire::BlockKind_IsValid(from.kind())) {
    return Read::kUnknown;
  }
  auto block = std::make_shared<group::Block>();
  to.incarnation = Incarnation(from.incarnation());
  to.session = from.session();
  to.serial = from.serial();
  block->id = from.id();
  block->kind = static_cast<group::BlockKind>(from.kind());
  block->track = TrackId(from.track());
  block->version = Version(from.version());
  block->timeline = Timeline(from.timeline());
  block->epoch = Epoch(from.epoch());
  block->cut_at = {from.cut_at_us()};
  const bool ok =
      take(from.attempt(), to.attempt) && take(from.backlog().bulk(), to.backlog.bulk) &&
      take(from.backlog().single(), to.backlog.single) && take_items(from.items(), block->items);
  to.block = std::move(block);
  return verdict(ok);
}

void write(const group::BlockReport& from, wire::BlockReport& to) {
  to.set_incarnation(from.incarnation.get());
  to.set_owner_incarnation(from.owner_incarnation.get());
  to.set_block(from.block);
  to.set_attempt(positive(from.attempt));
  to.set_track(from.track.get());
  to.set_epoch(from.epoch.get());
  to.set_outcome(static_cast<wire::BlockOutcome>(from.outcome));
  to.set_moved(positive64(from.moved));
  to.set_moves(positive64(from.moves));
  to.set_actions(positive64(from.actions));
  if (!from.not_where_said.empty()) {
    write_items(from.not_where_said, *to.mutable_not_where_said());
  }
  to.set_more_due(from.more_due);
  to.set_elapsed_us(from.elapsed.count());
  write_credit(from.credit, *to.mutable_credit());
}

Read read(const wire::BlockReport& from, group::BlockReport& to) {
  if (!wire::BlockOutcome_IsValid(from.outcome())) {
    return Read::kUnknown;
  }
  to.incarnation = Incarnation(from.incarnation());
  to.owner_incarnation = Incarnation(from.owner_incarnation());
  to.block = from.block();
  to.track = TrackId(from.track());
  to.epoch = Epoch(from.epoch());
  to.outcome = static_cast<group::BlockOutcome>(from.outcome());
  to.more_due = from.more_due();
  to.elapsed = Duration(from.elapsed_us());
  return verdict(to.elapsed >= Duration::zero() && take(from.attempt(), to.attempt) &&
                 take64(from.moved(), to.moved) && take64(from.moves(), to.moves) &&
                 take64(from.actions(), to.actions) &&
                 take_items(from.not_where_said(), to.not_where_said) &&
                 take_credit(from.credit(), to.credit));
}

void write(const group::Refusal& from, wire::BlockRefusal& to) {
  to.set_incarnation(from.incarnation.get());
  to.set_owner_incarnation(from.owner_incarnation.get());
  to.set_block(from.block);
  to.set_attempt(positive(from.attempt));
  to.set_track(from.track.get());
  to.set_owner(from.owner.get());
  to.set_row_incarnation(from.row_incarnation.get());
  to.set_timeline(from.timeline.get());
  to.set_epoch(from.epoch.get());
  write_credit(from.credit, *to.mutable_credit());
}

Read read(const wire::BlockRefusal& from, group::Refusal& to) {
  to.incarnation = Incarnation(from.incarnation());
  to.owner_incarnation = Incarnation(from.owner_incarnation());
  to.block = from.block();
  to.track = TrackId(from.track());
  to.row_incarnation = Incarnation(from.row_incarnation());
  to.timeline = Timeline(from.timeline());
  to.epoch = Epoch(from.epoch());
  return verdict(take(from.attempt(), to.attempt) && take_name(from.owner(), to.owner, true) &&
                 take_credit(from.credit(), to.credit));
}

void write(const group::CreditGrant& from, wire::CreditGrant& to) {
  to.set_incarnation(from.incarnation.get());
  write_credit(from.credit, *to.mutable_credit());
}

Read read(const wire::CreditGrant& from, group::CreditGrant& to) {
  to.incarnation = Incarnation(from.incarnation());
  return verdict(take_credit(from.credit(), to.credit));
}

void write(const group::Handout& from, wire::Deliveries& to) {
  to.set_incarnation(from.incarnation.get());
  to.set_master_epoch(from.master_epoch.get());
  write_column(
      from.deliveries, [](const auto& key) { return key.track.get(); }, *to.mutable_track());
  write_items(from.deliveries, *to.mutable_items());
  write_column(
      from.deliveries, [](const auto& key) { return key.action_no; }, *to.mutable_action_no());
}

Read read(const wire::Deliveries& from, group::Handout& to) {
  to.incarnation = Incarnation(from.incarnation());
  to.master_epoch = Epoch(from.master_epoch());
  const int rows = from.items().contact_delta_size();
  if (!column_fits(from.track(), rows) || !column_fits(from.action_no(), rows) ||
      !take_items(from.items(), to.deliveries)) {
    return Read::kInvalid;
  }
  for (int i = 0; i < rows; ++i) {
    group::DeliveryKey& key = to.deliveries[static_cast<std::size_t>(i)];
    key.track = TrackId(column(from.track(), i));
    key.action_no = column(from.action_no(), i);
  }
  return Read::kOk;
}

}  // namespace turnout::link
