#pragma once

// What dotted names stand for, per row of a block: entry.* and row.* (kept with the entry), event.*
// (the last event that gathered or moved it, or the one in hand) and visit.* (the engine's own).
//
// An entry keeps them as one JSON object: {"entry": {…}, "row": {…}, "event": {…}, "visits": {"3":
// 2}}, where `event` holds the properties and `visits` how often each step was come to.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "decide/condition.h"
#include "decide/row.h"
#include "track/block.h"

namespace turnout::decide {

// What an entry keeps that an event has gathered.
std::string data_of(const track::BlockEvent& event);
// The property's value as JSON; "" where the event has none.
std::string property_text(const track::BlockEvent& event, const std::string& property);
// The same where it is a text.
std::optional<std::string> text_of(const track::BlockEvent& event, const std::string& property);
// One name of what an entry keeps; not of visit.*.
track::Value value_in(const std::string& data, const ScopedName& name);
// `data` with the name set, or taken away by Missing.
std::string with_value(const std::string& data, const ScopedName& name, const track::Value& value);

// Not thread-safe. Block, columns and rows outlive it. Does nothing where no dotted name is used.
class Scopes {
 public:
  // Points the columns of dotted names in `rows` here.
  Scopes(const Columns& columns, const track::ContactBlock& block, Rows& rows);

  // The JSON under the name, or null when there is none. Valid until the row's scopes change.
  const nlohmann::json* find(const ScopedName& name, std::size_t row) const;

  // event.* are those of `event` from now on; null: those kept with the entry. The event outlives
  // the offer. Returns what was offered before.
  const track::BlockEvent* offer(std::size_t row, const track::BlockEvent* event);
  // Whether the event has another value of the property than the one that the entry was made with.
  bool is_of_another(std::size_t row, const std::string& property,
                     const track::BlockEvent& event) const;
  // What is offered is the entry's last event.
  void keep(std::size_t row);
  // entry.NAME; Missing takes it away.
  void set_entry(std::size_t row, const std::string& name, const track::Value& value);
  // The row has come to the step.
  void arrive(std::size_t row, std::int32_t step);
  // visit.* of a row that stands on the step, which opened at `step_at`.
  void stand(std::size_t row, std::int32_t step, const std::string& name, base::Instant step_at);

  // As entries keep them, per row; nothing where no dotted name is used.
  void write(std::vector<std::string>& out) const;

 private:
  // The values of one dotted name as one type.
  struct Filled {
    std::size_t field = 0;
    ScopedName name;
    track::Type type = track::Type::kText;
    std::vector<std::uint8_t> present;
    std::vector<double> number;
    std::vector<std::uint8_t> boolean;
    std::vector<std::int64_t> time;
    std::vector<std::string> texts;
    std::vector<std::string_view> text;
  };
  void fill(Filled& column, std::size_t row, const track::Value& value);
  void refresh(Scope scope, std::size_t row);

  const track::ContactBlock& block_;
  Rows& rows_;
  std::vector<nlohmann::json> data_;  // per row
  std::vector<const track::BlockEvent*> offered_;
  std::vector<nlohmann::json> properties_;  // per row: of what is offered
  std::deque<Filled> columns_;
  bool counts_visits_ = false;
};

}  // namespace turnout::decide
