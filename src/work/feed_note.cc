#include "work/feed_note.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include <fmt/format.h>

#include "base/mutant.h"

namespace turnout::work {
namespace {

// Takes the number at the front of a text, and the space behind it.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  text.remove_prefix(text.starts_with(' ') ? 1 : 0);
  return number;
}

}  // namespace

std::string FeedNote::text() const {
  std::string text = fmt::format("{}|{}", cursor, at.us);
  if (base::planted(base::Mutant::kLooksNotNoted) || (!regathering && !retesting)) {
    return text;
  }
  text += '|';
  if (regathering) {
    text += fmt::format("{} {} {}", regathering->since.us, regathering->after.contact.get(),
                        regathering->after.number);
  }
  if (retesting) {
    text += fmt::format("|{}", retesting->get());
  }
  return text;
}

FeedNote FeedNote::parse(std::string_view text) {
  std::array<std::string_view, 4> parts;
  for (std::string_view& part : parts) {
    const std::size_t bar = std::min(text.find('|'), text.size());
    part = text.substr(0, bar);
    text.remove_prefix(std::min(bar + 1, text.size()));
  }
  FeedNote note{.cursor = std::string(parts[0])};
  if (const auto at = take_number(parts[1])) {
    note.at = base::Instant{*at};
  }
  const auto since = take_number(parts[2]);
  const auto contact = take_number(parts[2]);
  const auto event = take_number(parts[2]);
  if (since && contact && event) {
    note.regathering = Regathering{base::Instant{*since}, {base::ContactId(*contact), *event}};
  }
  if (const auto contact_after = take_number(parts[3])) {
    note.retesting = base::ContactId(*contact_after);
  }
  return note;
}

void FeedNote::lose_feed() {
  retesting = base::ContactId(0);
  if (at == track::kNever) {
    return;
  }
  // The clock that noted it may have been ahead of this one.
  base::Instant since = at - store::kHeldAround;
  if (regathering) {
    since = std::min(since, regathering->since);
  }
  regathering = Regathering{since, {}};
}

}  // namespace turnout::work
