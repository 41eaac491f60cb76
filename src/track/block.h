#pragma once

// Contacts on a track, as columns: what a block of work reads (ContactBlock) and what comes of it
// (BlockOutcome). `store` fills the one and writes the other, `decide` makes the second from the
// first, so both live below them. Plain data.

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "track/value.h"

namespace turnout::track {

// "No such time": a position that waits for no time, a missing timestamp.
inline constexpr base::Instant kNever{std::numeric_limits<std::int64_t>::max()};

// Text values of the rows of a block, one after another in one buffer.
class TextColumn {
 public:
  void clear() {
    chars_.clear();
    ends_.clear();
  }
  void reserve(std::size_t rows, std::size_t bytes) {
    ends_.reserve(rows);
    chars_.reserve(bytes);
  }
  void append(std::string_view text) {
    chars_.append(text);
    ends_.push_back(static_cast<std::uint32_t>(chars_.size()));
  }
  // Valid until the column is changed.
  std::string_view operator[](std::size_t row) const {
    const std::uint32_t begin = row == 0 ? 0 : ends_[row - 1];
    return std::string_view(chars_).substr(begin, ends_[row] - begin);
  }
  std::size_t size() const { return ends_.size(); }
  std::size_t bytes() const { return chars_.size(); }

 private:
  std::string chars_;
  std::vector<std::uint32_t> ends_;
};

// One field of the rows of a block. Of the vectors only the one of its type is filled, beside
// `present`.
struct Column {
  Type type = Type::kText;
  std::vector<std::uint8_t> present;  // 0: missing; the value vector has a filler at that row
  std::vector<double> number;         // kNumber
  std::vector<std::uint8_t> boolean;  // kBoolean
  std::vector<std::int64_t>
      time;         // kTimestamp: microseconds since 1970 UTC; kDate: days since 1970
  TextColumn text;  // kText

  void clear();
  void append(const Value& value);  // of the column's type, or Missing
  Value at(std::size_t row) const;
  std::size_t size() const { return present.size(); }
};

// What a position is doing. The numbers are stored.
enum class PositionState : std::int16_t {
  kOpen =
      0,  // its step's rules are tested: now (due), at due_at, or when something they read changes
  kClosed = 1,   // a delayed move brought it here; it opens at due_at
  kStopped = 2,  // the end; `step` is the outcome's number
};

// What a closed position's `stayed` says of why it is closed; 0: a delayed move brought it there.
inline constexpr std::uint64_t kRests = std::uint64_t{1} << 63;    // `stay for`: on the step it was
inline constexpr std::uint64_t kFollows = std::uint64_t{1} << 62;  // the move is due by a field;
                                                                   // the bits below say how
inline constexpr std::uint64_t kLooks = std::uint64_t{1} << 61;  // without kFollows: due_at is only
                                                                 // for the track's `leave` clauses;
                                                                 // the bits below are the
                                                                 // microseconds since 1970 at
                                                                 // which it opens

// `stayed` of a closed position that is looked at before `due_at`, when it would be looked at or
// open: it keeps when it opens.
constexpr std::uint64_t looked_at(std::uint64_t stayed, base::Instant due_at) {
  return (stayed & (kFollows | kLooks)) != 0
             ? stayed
             : stayed | kLooks | static_cast<std::uint64_t>(due_at.us);
}

// Beside the numbers of a step's rules, from 0 up, and what the store counts under -1 to -3, a move
// is made by:
inline constexpr std::int32_t kHeldOutRule = -4;  // the clause `hold out`
// … the track's leave clause `index`, from 0 up.
constexpr std::int32_t leave_rule(std::size_t index) {
  return -5 - static_cast<std::int32_t>(index);
}
// … another track's `take off track`. Counts as one of the clauses that there can be.
inline constexpr std::int32_t kTakenOffRule = leave_rule(1'000'000);
constexpr bool is_leave_rule(std::int32_t rule) { return rule <= leave_rule(0); }
constexpr std::size_t leave_index(std::int32_t rule) {
  return static_cast<std::size_t>(leave_rule(0) - rule);
}

// Contacts that are held out stand on this one, which is no step of the file.
inline constexpr std::int32_t kHeldOutStep = 0;

// An event of a contact, as it was received.
struct BlockEvent {
  std::int64_t id = 0;
  base::Instant at;  // by the database's clock
  std::string name;
  std::string properties;  // a JSON object
  // False: only `did` finds it, since it answers another entry's action, or this entry has recorded
  // it itself.
  bool heard = true;
};

// A place on a track that conditions ask for, `on track "…" at "…"`: any step where none is named.
struct OtherPlace {
  std::string track;
  std::string step;
  friend bool operator==(const OtherPlace&, const OtherPlace&) = default;
};

struct ContactBlock {
  base::Instant now;  // one instant for the whole block, on the database's clock
  std::vector<base::ContactId> contact;
  std::vector<std::int32_t> entry;
  std::vector<std::int32_t> move_no;  // moves made so far
  std::vector<std::int32_t> step;     // step number, see Numbering
  std::vector<std::int32_t> version;
  std::vector<std::int64_t> heard;
  std::vector<PositionState> state;
  std::vector<base::Instant> entered_at;
  std::vector<base::Instant> step_at;  // when its step opened for it
  std::vector<base::Instant> due_at;   // kNever: none
  std::vector<std::uint64_t> stayed;   // open, bit r: rule r of the step fired with `stay` and is
                                       // not met again until woken; closed: why
  std::vector<Column> columns;         // parallel to decide::Program::fields
  std::vector<std::vector<std::uint8_t>>
      tags;  // parallel to decide::Program::tags: 1 where the contact has it
  std::vector<std::vector<std::uint8_t>> places;  // parallel to decide::Program::places: 1 where
                                                  // some entry of the contact stands there
  // Per row, ascending by id, those that Program::events() names and that the entry has not heard,
  // and of those that Program::recalls() names all; or no rows at all, where none are named.
  std::vector<std::vector<BlockEvent>> events;
  std::vector<std::int64_t> newest;  // per row: id of the contact's newest event whatever its name;
                                     // or no rows at all
  // Per row what the entry holds beside its position, a JSON object or ""; or no rows at all, where
  // Program::keeps_data() is false.
  std::vector<std::string> data;

  std::size_t rows() const { return contact.size(); }
  void clear();
};

// What an action in the outbox is. The numbers are stored.
enum class ActionKind : std::int16_t {
  kEmail = 1,
  kWebhook = 2,
  kEvent = 3,    // to be recorded
  kShow = 4,     // on the contact's open pages
  kPutOn = 5,    // another track
  kTakeOff = 6,  // another track
  kSql = 7,      // a statement, on a database of the user's
};

// Whether it is recorded as an event of the contact, in the database, instead of going out.
constexpr bool is_recorded(ActionKind kind) {
  return kind == ActionKind::kEvent || kind == ActionKind::kPutOn || kind == ActionKind::kTakeOff;
}

// What other tracks ask for comes as an event of this name, with the properties `track` and, where
// it is said, `at`, the step. Nobody else may record one whose name begins so.
inline constexpr const char* kPutOnEvent = "track.put_on";
inline constexpr const char* kTakeOffEvent = "track.take_off";
inline constexpr const char* kOwnEvents = "track.";

inline constexpr ActionKind kActionKinds[] = {
    ActionKind::kEmail, ActionKind::kWebhook, ActionKind::kEvent, ActionKind::kShow,
    ActionKind::kPutOn, ActionKind::kTakeOff, ActionKind::kSql};

// "email", "webhook", "event", "show", "put on track", "take off track", "sql".
const char* action_kind_name(ActionKind kind);

// Rows that went the same way share one shape.
struct Shape {
  struct Act {
    std::int32_t move = 1;       // 1 for the passage's first move
    std::int16_t action_no = 1;  // 1 for the first action of the rule
    ActionKind kind = ActionKind::kEmail;
    std::int32_t name = 0;     // number of the template or webhook, see Numbering
    bool has_payload = false;  // its payload stands in BlockOutcome::payload of each row
  };
  struct Tag {
    std::string tag;
    bool add = true;
  };
  struct Count {
    std::int32_t step = 0;
    std::int32_t rule = 0;
    std::int32_t times = 0;
  };
  // step, rule, step, rule, …, and last where it ended: a step number, or an outcome number when
  // stopped. Empty when nothing was met.
  std::vector<std::int32_t> path;
  std::string path_json;  // the same as "[1,0,2,1,3]"
  std::int32_t moves = 0;
  std::int32_t step = 0;  // afterwards; an outcome number when stopped
  PositionState state = PositionState::kOpen;
  bool withdraws = false;     // it left: its messages that nobody has taken to send are not sent
  std::vector<Act> acts;      // for the outbox, in order
  std::vector<Tag> tags;      // folded: one per tag
  std::vector<Count> counts;  // how often each rule fired
};

struct BlockOutcome {
  enum class Written : std::uint8_t {
    kNot = 0,
    kSet = 1,  // `value` is the new one
    kAdded =
        2,  // `value` is to be added to what the database has then, none counting as 0; numbers
  };
  // What becomes of one field for the rows that write it; folded, so that it is one thing per row.
  struct FieldWrite {
    std::size_t field = 0;         // index into decide::Program::fields
    std::vector<Written> written;  // per row
    Column value;                  // per row; missing and kSet: cleared
  };
  std::vector<Shape> shapes;
  // Per row of the block:
  std::vector<std::int32_t> shape;  // index into shapes
  std::vector<base::Instant> step_at;
  std::vector<base::Instant> due_at;  // kNever: waits for no time
  std::vector<std::uint64_t> stayed;
  std::vector<std::int64_t> heard;  // the last event that was looked at; no rows: as before
  std::vector<std::string> data;    // as in ContactBlock, afterwards; no rows: as before
  TextColumn
      seen;  // JSON object of the fields that the tested rules read, as loaded; "" when moves is 0
  TextColumn payload;  // "" or a JSON array, one element per act of the row's shape (null: none)
  std::vector<FieldWrite> writes;  // only fields that some row wrote

  std::size_t rows() const { return shape.size(); }
  const Shape& shape_of(std::size_t row) const {
    return shapes[static_cast<std::size_t>(shape[row])];
  }
  void clear();
};

// What the row has heard after the passage.
inline std::int64_t heard_after(const ContactBlock& before, const BlockOutcome& after,
                                std::size_t row) {
  return after.heard.empty() ? before.heard[row] : after.heard[row];
}

}  // namespace turnout::track
