#include <algorithm>

#include "store/postgres/session.h"

namespace turnout::store::postgres {

namespace {

using base::Result;

// `seen` is the position in the statement's snapshot, `held` the same one locked, if it still is
// due at the same time. Only then is the timer of that time in the snapshot as well and can be
// deleted; a position that was re-timed meanwhile is left to another look.
// The new time differs from the old one, so that a decision made from older values is refused.
constexpr const char* kWake =
    "with fence as materialized (select from ledger where track_id = $1 and timeline = $2"
    " and epoch = $3 and state = 0 for share)"
    ", seen as materialized (select n.*, p.due_at as old_due"
    " from (select $1::integer as track_id, i, ($4::bigint[])[i] as contact_id,"
    " ($5::integer[])[i] as entry, ($6::integer[])[i] as move_no, ($7::bigint[])[i] as woken,"
    " ($9::boolean[])[i] as looks"
    " from fence, generate_series(1, $8::integer) as i offset 0) n"
    " join position p on p.track_id = n.track_id and p.contact_id = n.contact_id"
    " and p.entry = n.entry and p.move_no = n.move_no"
    " where p.state = 0 or p.state = 1 and (n.looks or p.due_at <= now()"
    " or p.stayed & 4611686018427387904 <> 0))"  // track::kFollows
    ", held as materialized (select s.*, case when s.old_due = now()"
    " then now() + interval '1 microsecond' else now() end as new_due"
    " from seen s join position p on p.track_id = s.track_id and p.contact_id = s.contact_id"
    " and p.entry = s.entry and p.move_no = s.move_no and p.due_at is not distinct from s.old_due"
    " for no key update of p)"
    ", woken as (update position p set due_at = h.new_due, stayed = case when p.state = 1"
    " and h.old_due > h.new_due and p.stayed & 6917529027641081856 = 0"
    " then p.stayed | 2305843009213693952 | (extract(epoch from h.old_due) * 1000000)::bigint"
    " else p.stayed & ~h.woken end from held h where p.track_id = h.track_id and p.contact_id = "
    "h.contact_id"
    " and p.entry = h.entry)"
    ", untimed as (delete from timer t using held h where t.track_id = h.track_id"
    " and t.due_at = h.old_due and t.contact_id = h.contact_id and t.entry = h.entry)"
    ", timed as (insert into timer (track_id, due_at, contact_id, entry, move_no)"
    " select track_id, new_due, contact_id, entry, move_no from held)"
    " select exists(select from fence), array_agg(i) from held";

static_assert(track::kFollows == 4'611'686'018'427'387'904);
static_assert(track::kLooks == 2'305'843'009'213'693'952);
static_assert((track::kFollows | track::kLooks) == 6'917'529'027'641'081'856);

// In key order, as blocks lock them; one wake per position.
std::vector<Wake> in_order(std::vector<Wake> wakes) {
  const auto key = [](const Wake& w) { return std::tuple(w.contact, w.entry, w.move_no); };
  std::sort(wakes.begin(), wakes.end(),
            [&](const Wake& a, const Wake& b) { return key(a) < key(b); });
  std::vector<Wake> out;
  for (const Wake& wake : wakes) {
    if (!out.empty() && key(out.back()) == key(wake)) {
      out.back().woken |= wake.woken;
      out.back().looks = out.back().looks || wake.looks;
    } else {
      out.push_back(wake);
    }
  }
  return out;
}

}  // namespace

Result<std::int64_t> PgSession::wake(const Fence& fence, const std::vector<Wake>& wakes) {
  constexpr int kLooks = 3;
  std::vector<Wake> left = in_order(wakes);
  std::int64_t woken = 0;
  for (int look = 0; look < kLooks && (look == 0 || !left.empty()); ++look) {
    const std::size_t n = left.size();
    Params params;
    params.add(fence.track.get());
    params.add(fence.timeline.get());
    params.add(fence.epoch.get());
    params.add_int8s(n, [&](std::size_t i) { return left[i].contact.get(); });
    params.add_int4s(n, [&](std::size_t i) { return left[i].entry; });
    params.add_int4s(n, [&](std::size_t i) { return left[i].move_no; });
    params.add_int8s(n, [&](std::size_t i) { return static_cast<std::int64_t>(left[i].woken); });
    params.add(static_cast<std::int32_t>(n));
    params.add_bools(n, [&](std::size_t i) { return left[i].looks; });
    TRY(const Answer answer, run_again(kWake, params));
    if (!answer.boolean(0, 0)) {
      return base::fail(base::ErrorCode::kConflict, "track " + std::to_string(fence.track.get()) +
                                                        " has another owner or is paused");
    }
    std::vector<bool> done(n, false);
    for (const std::int32_t i : answer.int4s(0, 1)) {
      done[static_cast<std::size_t>(i) - 1] = true;
      ++woken;
    }
    std::vector<Wake> rest;
    for (std::size_t i = 0; i < n; ++i) {
      if (!done[i]) {
        rest.push_back(left[i]);
      }
    }
    left = std::move(rest);
  }
  return woken;
}

}  // namespace turnout::store::postgres
