#pragma once

// WELCOME-5, the piece of work on which engines are measured: the two tracks, the contacts, and
// what must come out.
//
// Contact i (1 … N) is made from a hash, so that every implementation has the same contacts. Modulo
// 2^32:
//   h(i, k): x = i*0x9E3779B1 + k*0x85EBCA77 + 0xC0FFEE; x ^= x>>16; x *= 0x85EBCA6B; x ^= x>>13; x
//   *= 0xC2B2AE35;
//            x ^= x>>16
//   email        = missing if h(i,1) % 100 < 5, else "user{i}@example.org"
//   opted_out    = h(i,2) % 100 < 3
//   plan         = ["trial", "pro", "free"][h(i,3) % 3]
//   country      = one of twenty [h(i,4) % 20]
//   score        = h(i,5) % 100
//   signed_up_at = 1700000000 + h(i,6) % 31536000 seconds since 1970

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "track/block.h"
#include "track/catalogue.h"

namespace turnout::welcome5 {

inline constexpr const char* kTrack = R"(track "Welcome 5"
  about "The work that every engine is measured on: five steps, five conditions, five actions."

  gather contacts continuously
    start at "Welcome"

step "Welcome"
  when email is missing:
    stop as "no address"
  when opted_out:
    stop as "opted out"
  otherwise:
    send email "welcome"

step "Local"
  when country is one of "DE", "AT", "CH", "FR", "NL", "BE", "LU", "IT":
    send email "local"
  otherwise:

step "Sales"
  when plan is "trial" and score is at least 40:
    call webhook "sales"
  otherwise:

step "Tips"
  when score is less than 10:
    stop as "low score"
  otherwise:
    send email "tips"

step "Pro"
  when plan is "pro":
    add tag "pro"
  otherwise:
)";

// The same with every move committed on its own: each step is reached through a timer that is due
// at once.
inline constexpr const char* kHopsTrack = R"(track "Welcome 5 hops"
  about "WELCOME-5 with every move committed on its own: each step is reached through a timer that is due at once."

  gather contacts continuously
    start at "Welcome"

step "Welcome"
  when email is missing:
    stop as "no address"
  when opted_out:
    stop as "opted out"
  otherwise:
    send email "welcome"
    go to "Local" after 0 seconds

step "Local"
  when country is one of "DE", "AT", "CH", "FR", "NL", "BE", "LU", "IT":
    send email "local"
    go to "Sales" after 0 seconds
  otherwise:
    go to "Sales" after 0 seconds

step "Sales"
  when plan is "trial" and score is at least 40:
    call webhook "sales"
    go to "Tips" after 0 seconds
  otherwise:
    go to "Tips" after 0 seconds

step "Tips"
  when score is less than 10:
    stop as "low score"
  otherwise:
    send email "tips"
    go to "Pro" after 0 seconds

step "Pro"
  when plan is "pro":
    add tag "pro"
  otherwise:
)";

struct Contact {
  std::int64_t id = 0;
  std::optional<std::string> email;
  const char* country = "";
  const char* plan = "";
  std::int64_t signed_up_at = 0;  // seconds since 1970
  int score = 0;
  bool opted_out = false;
};

constexpr std::uint32_t hash(std::uint32_t i, std::uint32_t k) {
  std::uint32_t x = i * 0x9E3779B1U + k * 0x85EBCA77U + 0xC0FFEEU;
  x ^= x >> 16;
  x *= 0x85EBCA6BU;
  x ^= x >> 13;
  x *= 0xC2B2AE35U;
  x ^= x >> 16;
  return x;
}

inline Contact contact(std::uint32_t i) {
  constexpr const char* kPlans[] = {"trial", "pro", "free"};
  constexpr const char* kCountries[] = {"DE", "AT", "CH", "FR", "NL", "BE", "LU", "IT", "ES", "PT",
                                        "PL", "CZ", "US", "CA", "MX", "BR", "JP", "IN", "AU", "ZA"};
  Contact made;
  made.id = i;
  if (hash(i, 1) % 100 >= 5) {
    made.email = "user" + std::to_string(i) + "@example.org";
  }
  made.opted_out = hash(i, 2) % 100 < 3;
  made.plan = kPlans[hash(i, 3) % 3];
  made.country = kCountries[hash(i, 4) % 20];
  made.score = static_cast<int>(hash(i, 5) % 100);
  made.signed_up_at = 1'700'000'000 + static_cast<std::int64_t>(hash(i, 6) % 31'536'000);
  return made;
}

// What must come out for N contacts, exactly.
struct Totals {
  std::int64_t contacts = 0;
  std::int64_t moves = 0;  // a stop is a move too
  std::int64_t completed = 0;
  std::int64_t no_address = 0;
  std::int64_t opted_out = 0;
  std::int64_t low_score = 0;
  std::int64_t welcome = 0;
  std::int64_t local = 0;
  std::int64_t sales = 0;
  std::int64_t tips = 0;
  std::int64_t tag_pro = 0;
  friend bool operator==(const Totals&, const Totals&) = default;
};

inline constexpr Totals kExpected[] = {
    {1'000, 4'625, 832, 35, 34, 99, 931, 378, 192, 832, 281},
    {100'000, 459'748, 83'043, 4'992, 2'773, 9'192, 92'235, 37'206, 18'452, 83'043, 27'751},
    {1'000'000, 4'594'690, 830'016, 49'825, 28'617, 91'542, 921'558, 369'037, 184'669, 830'016,
     276'806},
};

inline track::Catalogue catalogue() {
  track::Catalogue made = track::built_in_catalogue();
  made.fields.push_back({"country", track::Type::kText, "country"});
  made.fields.push_back({"plan", track::Type::kText, "plan"});
  made.fields.push_back({"score", track::Type::kNumber, "score"});
  made.fields.push_back({"signed_up_at", track::Type::kTimestamp, "signed_up_at"});
  made.fields.push_back({"opted_out", track::Type::kBoolean, "opted_out"});
  return made;
}

inline track::Value value(const Contact& contact, const std::string& field) {
  if (field == "email") {
    return contact.email ? track::Value(*contact.email) : track::Value(track::Missing{});
  }
  if (field == "country") {
    return std::string(contact.country);
  }
  if (field == "plan") {
    return std::string(contact.plan);
  }
  if (field == "score") {
    return static_cast<double>(contact.score);
  }
  if (field == "signed_up_at") {
    return base::Instant{contact.signed_up_at * 1'000'000};
  }
  if (field == "opted_out") {
    return contact.opted_out;
  }
  throw std::invalid_argument("WELCOME-5 has no field " + field);
}

// A block of the contacts first … first + count - 1, all on `step` and due at `now`, with the
// columns of `fields` and no tags among `tag_count`.
inline track::ContactBlock block(std::uint32_t first, std::uint32_t count, std::int32_t step,
                                 base::Instant now, const std::vector<track::Field>& fields,
                                 std::size_t tag_count) {
  track::ContactBlock made;
  made.now = now;
  made.columns.resize(fields.size());
  for (std::size_t k = 0; k < fields.size(); ++k) {
    made.columns[k].type = fields[k].type;
  }
  for (std::uint32_t i = first; i < first + count; ++i) {
    const Contact one = contact(i);
    made.contact.emplace_back(one.id);
    for (std::size_t k = 0; k < fields.size(); ++k) {
      made.columns[k].append(value(one, fields[k].name));
    }
  }
  made.entry.assign(count, 1);
  made.move_no.assign(count, 0);
  made.step.assign(count, step);
  made.version.assign(count, 1);
  made.heard.assign(count, 0);
  made.state.assign(count, track::PositionState::kOpen);
  made.entered_at.assign(count, now);
  made.step_at.assign(count, now);
  made.due_at.assign(count, now);
  made.stayed.assign(count, 0);
  made.tags.assign(tag_count, std::vector<std::uint8_t>(count, 0));
  return made;
}

}  // namespace turnout::welcome5
