#pragma once

// One contact's way through a track without a server or a database: the same Program decides, and
// the time is whatever the caller says. For `turnout try`, and for the tests that stand beside a
// track.

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "decide/gather.h"
#include "decide/guards.h"
#include "decide/program.h"
#include "decide/zone.h"
#include "track/block.h"
#include "track/catalogue.h"
#include "track/numbering.h"
#include "track/track.h"
#include "track/value.h"

namespace turnout::decide {

// One move as the journal would have it.
struct DryMove {
  base::Instant at;
  std::int32_t from = 0;  // step number
  std::int32_t rule = 0;  // index of the rule that fired
  std::int32_t to = 0;    // step number, or an outcome number when stopped
  track::PositionState state = track::PositionState::kOpen;
  std::string seen;  // JSON object of what the rules tested in this passage read
  base::Instant due_at =
      track::kNever;  // of the last move at an instant: when it is looked at again
};

// What would be in the outbox.
struct DryMessage {
  enum class Fate : std::uint8_t {
    kSent,       // at `sent_at`
    kWaits,      // for quiet hours to end, at `sent_at`
    kCapped,     // dropped at `sent_at`
    kWithdrawn,  // the contact left before it was sent
  };
  base::Instant at;      // when it was asked for
  std::size_t move = 0;  // index into moves()
  track::ActionKind kind = track::ActionKind::kEmail;
  std::string name;
  std::string payload;  // JSON, or ""
  Fate fate = Fate::kSent;
  base::Instant sent_at = at;
};

// Not thread-safe. Holds no reference to what it was made from.
class DryRun {
 public:
  // kInvalid: the track does not compile. The track has passed lang::check and check_runnable.
  static base::Result<DryRun> make(const track::Track& track, const track::Catalogue& catalogue,
                                   base::Instant start);

  // Changes the contact at now(), or with entry.NAME and row.NAME what the entry holds. What waits
  // for the field or tag is tested again; who has stopped comes again where the track lets it and a
  // `gather contacts continuously` takes it. kInvalid: there is no such field, or it cannot hold
  // the value.
  base::Result<void> set(const std::string& field, const track::Value& value);
  // The contact sends an event now; `properties` is a JSON object, or "" for none. Who is not on
  // the track, or has stopped and may come again, comes in when a `gather on` takes it.
  base::Result<void> send(const std::string& event, const std::string& properties);
  void set_tag(const std::string& tag, bool has);
  // Where the contact stands on another track: on a step, on whichever ("") or nowhere (nullopt).
  base::Result<void> set_place(const std::string& track, const std::optional<std::string>& step);

  // Puts the contact on the track at now(), where the first `gather contacts` clause starts whose
  // condition is met. Where there is none, the first `gather`'s start if `anyhow`, else kNotFound.
  // Events that came before are not heard there.
  base::Result<void> enter(bool anyhow);
  // Whether a `gather on` would take the contact for the event.
  bool takes(const std::string& event, const std::string& properties) const;
  // Runs what is due up to `at`, which is now() from then on. kExhausted: the contact runs in a
  // circle without time passing.
  base::Result<void> pass_to(base::Instant at);

  base::Instant now() const { return now_; }
  const Zone& zone() const { return zone_; }  // the track's own
  bool entered() const { return entered_; }
  bool stopped() const { return state_ == track::PositionState::kStopped; }
  std::int32_t place() const { return step_; }      // step or outcome number
  base::Instant due_at() const { return due_at_; }  // kNever: waits for no time
  std::string name_of(std::int32_t number) const { return numbering_.name_of(number); }
  track::Value value(const std::string& field) const;  // Missing too where there is no such field
  bool has_tag(const std::string& tag) const { return tags_.contains(tag); }
  // All so far, in the order in which they happened.
  const std::vector<DryMove>& moves() const { return moves_; }
  const std::vector<DryMessage>& messages() const { return messages_; }
  // Indices into messages(), in the order in which they were sent.
  const std::vector<std::size_t>& sent() const { return sent_; }

 private:
  // The zone of the contact: what its field holds, else the track's own.
  struct ContactZone {
    Zone own;
    std::optional<std::string> field;
  };

  DryRun(const track::Track& track, Program program, std::vector<GatherClause> gathers,
         track::Catalogue catalogue, track::Numbering numbering, ContactZone zone,
         base::Instant start);

  // The contact as a block of one row, with what the program or the clause reads.
  template <class Reader>
  track::ContactBlock block(const Reader& reader) const;
  bool stands(const track::OtherPlace& place) const;
  bool may_come() const;
  base::Result<void> come_again();
  base::Instant next_thing() const;
  base::Instant looked_at_again() const;
  void hand_over(std::size_t index);
  void send_waiting();
  void withdraw();
  void tell_capped();
  void decide();
  base::Result<void> settle();
  base::Result<void> come_in(std::int32_t step, std::string data);
  std::optional<std::int32_t> admits(const track::BlockEvent& event) const;
  void look_now();
  void note_event(const DryMessage& message);
  base::Result<void> wake(const Facts& changed);
  void note_change(const Facts& changed);
  Facts places_on(const std::string& track) const;
  void note_moves(const track::Shape& shape, std::string_view seen);
  void note_messages(const track::Shape& shape, std::string_view payload, std::size_t first_move);

  std::string name_;  // of the track
  Program program_;
  std::vector<GatherClause> gathers_;
  std::optional<CalendarDuration> again_;  // as again_after() says
  Guards guards_;
  track::Catalogue catalogue_;
  track::Numbering numbering_;
  Zone zone_;
  std::optional<std::string> zone_field_;
  base::Instant now_;
  std::map<std::string, track::Value> values_;
  std::set<std::string> tags_;

  bool entered_ = false;
  std::int32_t entry_ = 0;
  base::Instant stopped_at_;
  std::int32_t step_ = 0;
  track::PositionState state_ = track::PositionState::kOpen;
  std::int32_t move_no_ = 0;
  base::Instant entered_at_;
  base::Instant step_at_;
  base::Instant due_at_ = track::kNever;
  std::uint64_t stayed_ = 0;
  std::int64_t heard_ = 0;
  std::string data_;  // as in track::ContactBlock
  std::vector<track::BlockEvent> events_;
  std::vector<DryMove> moves_;
  std::vector<DryMessage> messages_;
  std::vector<std::size_t> sent_;
  std::vector<std::size_t> capped_;  // that the entry has not been told of
  // Where it was put on other tracks: the step, or "" where none was named.
  std::map<std::string, std::string> elsewhere_;
};

}  // namespace turnout::decide
