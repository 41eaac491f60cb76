#pragma once

// Distinct types for the numbers and names that must not be mixed up.

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace turnout::base {

// A number of one kind. Tag makes kinds distinct; get() is the number itself.
template <class Tag, class Rep = std::int64_t>
class Id {
 public:
  constexpr Id() = default;
  constexpr explicit Id(Rep value) : value_(value) {}
  constexpr Rep get() const { return value_; }
  friend constexpr auto operator<=>(Id, Id) = default;

 private:
  Rep value_ = 0;
};

using TrackId = Id<struct TrackTag, std::int32_t>;  // row of `track`; 1 and up
using ContactId = Id<struct ContactTag>;            // row of `contact`; 1 and up
using Epoch = Id<struct EpochTag>;                  // fencing token of a ledger row; only rises
using Timeline = Id<struct TimelineTag>;  // of the database cluster; changes at a fail-over
using Incarnation =
    Id<struct IncarnationTag>;  // of a peer's life; drawn from the database at its start
using Version = Id<struct VersionTag, std::int32_t>;  // published version of a track; 1 and up

// The unique name of a peer in its group, 1–64 bytes; orders peers bytewise.
class PeerName {
 public:
  PeerName() = default;
  explicit PeerName(std::string text) : text_(std::move(text)) {}
  const std::string& get() const { return text_; }
  bool empty() const { return text_.empty(); }
  friend auto operator<=>(const PeerName&, const PeerName&) = default;

 private:
  std::string text_;
};

}  // namespace turnout::base

template <class Tag, class Rep>
struct std::hash<turnout::base::Id<Tag, Rep>> {
  std::size_t operator()(turnout::base::Id<Tag, Rep> id) const noexcept {
    return std::hash<Rep>()(id.get());
  }
};

template <>
struct std::hash<turnout::base::PeerName> {
  std::size_t operator()(const turnout::base::PeerName& name) const noexcept {
    return std::hash<std::string>()(name.get());
  }
};
