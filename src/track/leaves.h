#pragma once

// The leaves of a track as text: what the language and the JSON form write alike. The functions
// that read take the canonical spelling only and answer with what is wrong with the text, empty
// when nothing is. All are pure and thread-safe; results own their memory.

#include <array>
#include <string>
#include <string_view>

#include "track/track.h"

namespace turnout::track {

// From small to large, as the enum: "second" …
inline constexpr std::array<std::string_view, 7> kUnitNames = {"second", "minute", "hour", "day",
                                                               "week",   "month",  "year"};
// As the bits of Days: "monday" …
inline constexpr std::array<std::string_view, 7> kDayNames = {
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};

// Whether it can be a field's name: words of ASCII letters, digits and "_" that do not begin with a
// digit, joined by dots.
bool is_field_name(std::string_view name);
// Whether it can stand in brackets behind a date and time: ASCII letters, digits, "_", "/", "+" and
// "-", at most kMaxZoneBytes.
bool is_zone_name(std::string_view name);
// Whether the duration passes kMaxDurationDays.
bool is_too_long(const DurationSpec& duration);

// "1 day 12 hours".
std::string duration_text(const DurationSpec& duration);
std::string read_duration(std::string_view text, DurationSpec& duration);

// "09:00", with seconds "09:00:30".
std::string time_text(TimeOfDay time);
std::string read_time(std::string_view text, TimeOfDay& time);

// "2026-12-01T09:00", with a zone "2026-12-01T09:00[Europe/Berlin]" (RFC 9557).
std::string date_time_text(const DateTime& at);
std::string read_date_time(std::string_view text, DateTime& at);

// The shortest text that reads back as the same number; whole numbers below 1e15 without exponent.
// It is a JSON number as well.
std::string number_text(double number);

}  // namespace turnout::track
