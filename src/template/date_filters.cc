// Filters for times.

#include <algorithm>
#include <cmath>

#include "template/convert.h"
#include "template/filters.h"
#include "template/moment.h"
#include "template/number.h"
#include "template/text.h"

namespace turnout::tmpl {
namespace {

using base::Result;

constexpr std::string_view kUsualFormat = "%A, %B %-e, %Y at %-l:%M %P %z";

// Milliseconds since 1970 that a value says, or nothing: a number, or a text of digits, is seconds.
std::optional<std::int64_t> instant_of(const Value& value, const RenderOptions& options) {
  double ms = 0;
  if (value.is_number()) {
    ms = std::trunc(value.as_number() * 1000);
  } else if (!value.is_text()) {
    return std::nullopt;
  } else if (value.as_text() == "now" || value.as_text() == "today") {
    return options.now.us / 1000;
  } else if (!value.as_text().empty() &&
             std::all_of(value.as_text().begin(), value.as_text().end(), is_ascii_digit)) {
    ms = text_number(value.as_text()) * 1000;
  } else {
    return read_moment(value.as_text());
  }
  const bool tellable = std::abs(ms) <= static_cast<double>(kMaxMoment);
  return tellable ? std::optional(static_cast<std::int64_t>(ms)) : std::nullopt;
}

bool is_utc(std::string_view zone) {
  return zone == "UTC" || zone == "Etc/UTC" || zone == "GMT" || zone == "Etc/GMT";
}

// The clock of a zone at that time. `zone`: missing for the one that is asked for; a name; or, as
// in JavaScript, the minutes that it is behind UTC.
Result<Moment> local(std::int64_t utc_ms, const Value& zone, Surroundings& s) {
  if (zone.is_number()) {
    const std::int64_t minutes = whole(zone.as_number(), 24 * 60);
    return moment_at(utc_ms, -minutes, "");
  }
  std::string name = s.options.zone;
  if (!zone.is_nil()) {
    TRY(name, text_of(zone, s.budget));
  }
  if (is_utc(name)) {
    return moment_at(utc_ms, 0, name);
  }
  const auto offset =
      s.options.zones ? s.options.zones(name, base::Instant{utc_ms * 1000}) : std::nullopt;
  if (!offset) {
    return base::fail(base::ErrorCode::kInvalid, "date: there is no time zone \"" + name +
                                                     "\"; write a name such as \"Europe/Berlin\"");
  }
  return moment_at(utc_ms, offset->count() / 60, name);
}

Result<Value> formatted(const Value& input, std::string_view format, const Value& zone,
                        Surroundings& s) {
  const auto at = instant_of(input, s.options);
  if (!at) {
    return input;  // what is no time stays as it is
  }
  TRYV(s.budget.reading(format));
  TRYV(s.budget.steps(static_cast<std::size_t>(std::count(format.begin(), format.end(), '%'))));
  TRY(const Moment moment, local(*at, zone, s));
  // Formats come from templates, but may be put together from values: 1,000 bytes a conversion.
  if (format.size() > kMaxTextBytes / 1000) {
    TRYV(s.budget.text(format.size() * 1000));
  }
  return made_text(format_moment(moment, format), s);
}

Result<Value> date(const Value& input, const Arguments& arguments, Surroundings& s) {
  std::string format(kUsualFormat);
  if (!arguments[0].is_nil()) {
    TRY(format, text_of(arguments[0], s.budget));
  }
  return formatted(input, format, arguments[1], s);
}

Result<Value> to_xmlschema(const Value& input, const Arguments& /*arguments*/, Surroundings& s) {
  return formatted(input, "%Y-%m-%dT%H:%M:%S%:z", Value(), s);
}

Result<Value> to_rfc822(const Value& input, const Arguments& /*arguments*/, Surroundings& s) {
  return formatted(input, "%a, %d %b %Y %H:%M:%S %z", Value(), s);
}

template <bool kLong>
Result<Value> to_string(const Value& input, const Arguments& arguments, Surroundings& s) {
  const auto says = [&](std::size_t i, std::string_view word) {
    return arguments[i].is_text() && arguments[i].as_text() == word;
  };
  const std::string month = kLong ? "%B" : "%b";
  const std::string format = !says(0, "ordinal") ? "%d " + month + " %Y"
                             : says(1, "US")     ? month + " %-d%q, %Y"
                                                 : "%-d%q " + month + " %Y";
  return formatted(input, format, Value(), s);
}

constexpr FilterSpec kDateFilters[] = {
    {"date", 0, 2, date},
    {"date_to_xmlschema", 0, 0, to_xmlschema},
    {"date_to_rfc822", 0, 0, to_rfc822},
    {"date_to_string", 0, 2, to_string<false>},
    {"date_to_long_string", 0, 2, to_string<true>},
};

}  // namespace

std::span<const FilterSpec> date_filters() { return kDateFilters; }

}  // namespace turnout::tmpl
