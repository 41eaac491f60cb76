#include "decide/select.h"

#include <cstring>
#include <optional>

#include "decide/time_sets.h"

namespace turnout::decide {
namespace {

using track::Compare;
using track::Type;

// Both lists are written at every row and only the right one is moved on: no branch that the
// processor could guess wrong. Reading stays ahead of writing, so the input may be one of the
// outputs.
template <class Test>
std::size_t filter(const RowNumber* selection, std::size_t count, RowNumber* met, RowNumber* rest,
                   Test test) {
  std::size_t yes = 0;
  std::size_t no = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const RowNumber row = selection[i];
    const auto is_met = static_cast<std::size_t>(test(row));
    met[yes] = row;
    yes += is_met;
    rest[no] = row;
    no += 1 - is_met;
  }
  return yes;
}

// Up to eight bytes of text as one number, for comparing short texts at once.
std::uint64_t packed(std::string_view text) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, text.data(), text.size());
  return bits;
}

template <class Texts>
std::size_t text_is(const Texts& texts, const std::uint8_t* present, std::string_view wanted,
                    const RowNumber* selection, std::size_t count, RowNumber* met,
                    RowNumber* rest) {
  return filter(selection, count, met, rest, [&](RowNumber row) {
    const std::string_view text = texts(row);
    return present[row] != 0 && text.size() == wanted.size() &&
           std::memcmp(text.data(), wanted.data(), wanted.size()) == 0;
  });
}

std::size_t split_text_is(const Node& node, const ColumnView& column, const RowNumber* selection,
                          std::size_t count, RowNumber* met, RowNumber* rest) {
  const std::string_view wanted = std::get<std::string>(node.b.constant);
  if (column.changed_text != nullptr) {
    return text_is([&](RowNumber row) { return column.changed_text[row]; }, column.present, wanted,
                   selection, count, met, rest);
  }
  return text_is([&](RowNumber row) { return (*column.text)[row]; }, column.present, wanted,
                 selection, count, met, rest);
}

std::size_t split_number(const Node& node, const ColumnView& column, const RowNumber* selection,
                         std::size_t count, RowNumber* met, RowNumber* rest) {
  const double bound = std::get<double>(node.b.constant);
  const double* const number = column.number;
  const std::uint8_t* const present = column.present;
  const auto with = [&](auto holds) {
    return filter(selection, count, met, rest, [&](RowNumber row) {
      return (static_cast<unsigned>(present[row] != 0) &
              static_cast<unsigned>(holds(number[row]))) != 0;
    });
  };
  switch (node.op) {
    case Compare::kIs:
      return with([bound](double x) { return x == bound; });
    case Compare::kLess:
      return with([bound](double x) { return x < bound; });
    case Compare::kAtMost:
      return with([bound](double x) { return x <= bound; });
    case Compare::kMore:
      return with([bound](double x) { return x > bound; });
    default:
      return with([bound](double x) { return x >= bound; });
  }
}

constexpr std::size_t kWorthBounds =
    4;  // for fewer rows working out bounds costs more than it saves
constexpr std::size_t kMaxScanned = 16;  // longer lists are searched by halves

// `one of` over few texts of at most eight bytes.
std::size_t split_short_texts(const Node& node, const ColumnView& column,
                              const RowNumber* selection, std::size_t count, RowNumber* met,
                              RowNumber* rest) {
  std::uint64_t bits[kMaxScanned] = {};
  std::size_t sizes[kMaxScanned] = {};
  const std::size_t wanted = node.texts.size();
  for (std::size_t i = 0; i < wanted; ++i) {
    bits[i] = packed(node.texts[i]);
    sizes[i] = node.texts[i].size();
  }
  return filter(selection, count, met, rest, [&](RowNumber row) {
    const std::string_view text = column.text_at(row);
    if (column.present[row] == 0 || text.size() > sizeof(std::uint64_t)) {
      return false;
    }
    const std::uint64_t value = packed(text);
    unsigned found = 0;
    for (std::size_t i = 0; i < wanted; ++i) {
      found |=
          static_cast<unsigned>(bits[i] == value) & static_cast<unsigned>(sizes[i] == text.size());
    }
    return found != 0;
  });
}

bool short_texts(const Node& node) {
  if (node.a.type != Type::kText || node.texts.size() > kMaxScanned) {
    return false;
  }
  for (const std::string& text : node.texts) {
    if (text.size() > sizeof(std::uint64_t)) {
      return false;
    }
  }
  return true;
}

// A time against one that is the same for all rows: two bounds, worked out once.
std::optional<std::size_t> split_times(const Node& node, const Rows& rows,
                                       const RowNumber* selection, std::size_t count,
                                       RowNumber* met, RowNumber* rest) {
  const std::optional<TimeSet> set = met_set(node, rows.zone(0), rows.now());
  if (!set || set->size() != 1) {
    return std::nullopt;
  }
  const Interval met_between = set->front();
  const bool left = node.a.kind == Term::Kind::kField;
  const ColumnView& column = rows.column(left ? node.a.field : node.b.field);
  return filter(selection, count, met, rest, [&](RowNumber row) {
    const std::int64_t value = column.time[row];
    // The highest value of the type is no value of a field, so an open end may leave it out.
    return (static_cast<unsigned>(column.present[row] != 0) &
            static_cast<unsigned>(value >= met_between.low) &
            static_cast<unsigned>(value < met_between.high)) != 0;
  });
}

// Sums of calendar units and of the days that they have on average differ by less than this, in any
// zone.
constexpr std::int64_t kSlack = 10LL * 86'400'000'000;

// "More than D ago" and the like for points in time. Only those within a few days of the bound need
// the calendar.
std::size_t split_distance(const Node& node, const Rows& rows, const RowNumber* selection,
                           std::size_t count, RowNumber* met, RowNumber* rest) {
  const std::int64_t now = rows.now().us;
  const std::int64_t sign = node.future ? -1 : 1;
  const std::int64_t bound = rows.zone(0).add(rows.now(), node.duration, node.future ? 1 : -1).us;
  const bool far_wanted = node.kind == Node::Kind::kRelative && node.more;
  const ColumnView& column = rows.column(node.a.field);
  return filter(selection, count, met, rest, [&](RowNumber row) {
    if (column.present[row] == 0) {
      return false;
    }
    const std::int64_t value = column.time[row];
    if (value > bound - kSlack && value < bound + kSlack) {
      return test(node, rows, row, rows.now()) != node.negated;
    }
    const bool far = node.future ? value > bound : value < bound;
    return far == far_wanted && (far_wanted || sign * (value < now ? -1 : value > now) <= 0);
  });
}

bool field_and_constant(const Node& node) {
  return node.a.kind == Term::Kind::kField && node.b.kind == Term::Kind::kConstant;
}

std::size_t split_leaf(const Node& node, const Rows& rows, const RowNumber* selection,
                       std::size_t count, RowNumber* met, RowNumber* rest) {
  if (node.kind == Node::Kind::kTag) {
    const std::uint8_t* const tag = rows.tag(node.tag);
    return filter(selection, count, met, rest, [&](RowNumber row) { return tag[row] != 0; });
  }
  if (node.a.kind == Term::Kind::kField) {
    const ColumnView& column = rows.column(node.a.field);
    const std::uint8_t* const present = column.present;
    if (node.kind == Node::Kind::kPresent) {
      return filter(selection, count, met, rest, [&](RowNumber row) { return present[row] != 0; });
    }
    if (node.kind == Node::Kind::kTrue) {
      const std::uint8_t* const boolean = column.boolean;
      return filter(selection, count, met, rest, [&](RowNumber row) {
        return (static_cast<unsigned>(present[row] != 0) &
                static_cast<unsigned>(boolean[row] != 0)) != 0;
      });
    }
    if (node.kind == Node::Kind::kCompare && field_and_constant(node)) {
      if (column.type == Type::kText && node.op == Compare::kIs) {
        return split_text_is(node, column, selection, count, met, rest);
      }
      if (column.type == Type::kNumber) {
        return split_number(node, column, selection, count, met, rest);
      }
    }
    if (node.kind == Node::Kind::kOneOf && short_texts(node)) {
      return split_short_texts(node, column, selection, count, met, rest);
    }
  }
  if (rows.one_zone() && count >= kWorthBounds) {
    const bool point = node.a.kind == Term::Kind::kField && node.a.type == Type::kTimestamp;
    if (node.kind == Node::Kind::kCompare && is_time(node.a.type)) {
      const auto done = split_times(node, rows, selection, count, met, rest);
      if (done) {
        return *done;
      }
    } else if (point && (node.kind == Node::Kind::kRelative || node.kind == Node::Kind::kWithin)) {
      return split_distance(node, rows, selection, count, met, rest);
    }
  }
  // `negated` is taken care of by the caller, while test() answers with it.
  return filter(selection, count, met, rest,
                [&](RowNumber row) { return test(node, rows, row, rows.now()) != node.negated; });
}

std::size_t split_plain(const Node& node, const Rows& rows, const RowNumber* selection,
                        std::size_t count, RowNumber* met, RowNumber* rest) {
  if (node.kind == Node::Kind::kAnd) {
    std::size_t left = count;
    std::size_t failed = 0;
    const RowNumber* from = selection;
    for (const Node& child : node.children) {
      const std::size_t passed = split(child, rows, from, left, met, rest + failed);
      failed += left - passed;
      left = passed;
      from = met;
    }
    return left;
  }
  if (node.kind == Node::Kind::kOr) {
    std::size_t left = count;
    std::size_t passed = 0;
    const RowNumber* from = selection;
    for (const Node& child : node.children) {
      const std::size_t more = split(child, rows, from, left, met + passed, rest);
      passed += more;
      left -= more;
      from = rest;
    }
    return passed;
  }
  return split_leaf(node, rows, selection, count, met, rest);
}

}  // namespace

std::size_t split(const Node& node, const Rows& rows, const RowNumber* selection, std::size_t count,
                  RowNumber* met, RowNumber* rest) {
  if (node.negated) {
    return count - split_plain(node, rows, selection, count, rest, met);
  }
  return split_plain(node, rows, selection, count, met, rest);
}

}  // namespace turnout::decide
