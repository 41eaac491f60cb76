#include "work/send_rules.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>
#include <variant>

namespace turnout::work {

namespace {

// A message of a version that this peer's book does not have yet waits for it, since it may be the
// first with a cap.
constexpr base::Duration kBookLag = std::chrono::seconds(1);

}  // namespace

std::vector<std::string> zone_fields(const TrackBook& book) {
  std::set<std::string> names;
  for (const auto& entry : book.all()) {
    if (entry->guards != nullptr) {
      for (std::string& name : entry->guards->fields()) {
        names.insert(std::move(name));
      }
    }
  }
  return {names.begin(), names.end()};
}

store::SendRules send_rules(const TrackBook& book,
                            std::shared_ptr<const std::vector<track::Field>> fields) {
  store::SendRules rules;
  rules.not_before = [&book, fields = std::move(fields)](const store::Delivery& delivery,
                                                         base::Instant now) {
    const auto entry = book.find(delivery.key.track);
    if (entry == nullptr || entry->published.version < delivery.version) {
      return now + kBookLag;
    }
    if (entry->guards == nullptr) {
      return now;
    }
    return entry->guards->not_before(delivery.kind, now, [&](const std::string& name) {
      const auto field = std::ranges::find(*fields, name, &track::Field::name);
      const auto* const text = field == fields->end()
                                   ? nullptr
                                   : std::get_if<std::string>(&delivery.values.at(
                                         static_cast<std::size_t>(field - fields->begin())));
      return text == nullptr ? std::string() : *text;
    });
  };
  rules.cap = [&book](base::TrackId track, base::Instant now) -> std::optional<store::SendCap> {
    const auto entry = book.find(track);
    if (entry == nullptr || entry->guards == nullptr) {
      return std::nullopt;
    }
    const auto cap = entry->guards->cap(now);
    return cap ? std::optional(store::SendCap{cap->messages, cap->at_most, cap->since})
               : std::nullopt;
  };
  return rules;
}

}  // namespace turnout::work
