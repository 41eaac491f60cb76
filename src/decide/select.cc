#include "decide/select.h"

#include <cstring>

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
