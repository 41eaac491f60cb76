#pragma once

// A draft of a track played over real contacts, on a clock that runs ahead, without writing
// anything: who would enter, where they would go, what would be sent on which day.
//
// Nobody changes and nobody does anything on the way: rules `on` an event are never met, and
// `gather on` takes nobody. What happens within a minute is decided together, as of its end.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "decide/zone.h"
#include "track/block.h"
#include "track/catalogue.h"
#include "track/track.h"

namespace turnout::decide {

struct BacktestFigures {
  using Message = std::pair<track::ActionKind, std::string>;
  std::int64_t looked_at = 0;  // contacts
  std::int64_t entered = 0;    // contacts
  std::int64_t moves = 0;
  std::map<std::string, std::int64_t> stopped;  // outcome → contacts
  std::map<std::string, std::int64_t> waiting;  // step → contacts, at the end
  // Per day, counted from 0 for that of the start, in the track's own zone.
  std::map<Message, std::map<std::int32_t, std::int64_t>> sent;
  std::map<Message, std::int64_t> capped;  // that `send at most` would have dropped
  std::int64_t capped_contacts = 0;        // to whom that happened
  std::int64_t circling = 0;  // contacts that run in a circle without time passing: given up
};

// Not thread-safe.
class Backtest {
 public:
  // From `now` on for so long. kInvalid when the track does not compile; it has passed lang::check
  // and check_runnable.
  static base::Result<Backtest> make(const track::Track& track, const track::Catalogue& catalogue,
                                     base::Instant now, const CalendarDuration& length);
  Backtest(Backtest&&) noexcept;
  Backtest& operator=(Backtest&&) noexcept;
  ~Backtest();

  // What add() needs to know of contacts.
  const std::vector<track::Field>& fields() const;
  const std::vector<std::string>& tags() const;
  // Plays these contacts to the end. Columns and tags are parallel to the above.
  void add(const track::ContactBlock& contacts);
  const BacktestFigures& figures() const;

 private:
  struct Impl;
  explicit Backtest(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace turnout::decide
