#pragma once

// PostgreSQL's binary formats: parameters written into one buffer, arrays without a detour through
// text, and results read in place. Thread-compatible plain values.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "track/block.h"
#include "track/value.h"

struct pg_result;

namespace turnout::store::postgres {

using Oid = unsigned int;

// The types that we send and read (pg_type.dat; they never change).
inline constexpr Oid kBoolOid = 16;
inline constexpr Oid kInt8Oid = 20;
inline constexpr Oid kInt2Oid = 21;
inline constexpr Oid kInt4Oid = 23;
inline constexpr Oid kTextOid = 25;
inline constexpr Oid kFloat8Oid = 701;
inline constexpr Oid kDateOid = 1082;
inline constexpr Oid kTimestampOid = 1184;
// Their arrays.
inline constexpr Oid kBoolArrayOid = 1000;
inline constexpr Oid kInt2ArrayOid = 1005;
inline constexpr Oid kInt4ArrayOid = 1007;
inline constexpr Oid kTextArrayOid = 1009;
inline constexpr Oid kInt8ArrayOid = 1016;
inline constexpr Oid kFloat8ArrayOid = 1022;
inline constexpr Oid kDateArrayOid = 1182;
inline constexpr Oid kTimestampArrayOid = 1185;

inline constexpr std::int64_t kEpochUs = 946'684'800'000'000;  // 2000-01-01, PostgreSQL's zero
inline constexpr std::int32_t kEpochDays = 10'957;

// The bytes of a number in the order of the wire.
template <class U>
constexpr U to_big_endian(U value) {
  if constexpr (std::endian::native == std::endian::big || sizeof(U) == 1) {
    return value;
  } else if constexpr (sizeof(U) == 2) {
    return __builtin_bswap16(value);
  } else if constexpr (sizeof(U) == 4) {
    return __builtin_bswap32(value);
  } else {
    static_assert(sizeof(U) == 8);
    return __builtin_bswap64(value);
  }
}

// kNever is 'infinity' there and back.
constexpr std::int64_t to_wire(base::Instant at) {
  return at == track::kNever ? at.us : at.us - kEpochUs;
}
constexpr base::Instant instant_from_wire(std::int64_t us) {
  return us == track::kNever.us ? track::kNever : base::Instant{us + kEpochUs};
}

// The parameters of one execution, in order. Everything is copied in.
class Params {
 public:
  void add(bool value) { fixed(kBoolOid, static_cast<std::uint8_t>(value)); }
  void add(std::int16_t value) { fixed(kInt2Oid, static_cast<std::uint16_t>(value)); }
  void add(std::int32_t value) { fixed(kInt4Oid, static_cast<std::uint32_t>(value)); }
  void add(std::int64_t value) { fixed(kInt8Oid, static_cast<std::uint64_t>(value)); }
  void add(double value) { fixed(kFloat8Oid, std::bit_cast<std::uint64_t>(value)); }
  void add(base::Instant at) { fixed(kTimestampOid, static_cast<std::uint64_t>(to_wire(at))); }
  void add(const std::optional<base::Instant>& at) { at ? add(*at) : add_null(kTimestampOid); }
  void add(base::Date date) { fixed(kDateOid, static_cast<std::uint32_t>(date.days - kEpochDays)); }
  void add(std::string_view text) { bytes(kTextOid, text); }
  void add_null(Oid type);
  // Text of a type that the server infers; in text format.
  void add_untyped(std::string_view text);
  void add(const track::Value& value);

  // Arrays of `n` elements, `value(i)` each; no nulls.
  template <class F>
  void add_int2s(std::size_t n, F value) {
    fixed_array<std::uint16_t>(kInt2ArrayOid, kInt2Oid, n,
                               [&](std::size_t i) { return static_cast<std::int16_t>(value(i)); });
  }
  template <class F>
  void add_int4s(std::size_t n, F value) {
    fixed_array<std::uint32_t>(kInt4ArrayOid, kInt4Oid, n,
                               [&](std::size_t i) { return static_cast<std::int32_t>(value(i)); });
  }
  template <class F>
  void add_int8s(std::size_t n, F value) {
    fixed_array<std::uint64_t>(kInt8ArrayOid, kInt8Oid, n,
                               [&](std::size_t i) { return static_cast<std::int64_t>(value(i)); });
  }
  template <class F>
  void add_bools(std::size_t n, F value) {
    fixed_array<std::uint8_t>(kBoolArrayOid, kBoolOid, n,
                              [&](std::size_t i) { return value(i) ? 1 : 0; });
  }
  template <class F>
  void add_instants(std::size_t n, F value) {
    fixed_array<std::uint64_t>(kTimestampArrayOid, kTimestampOid, n,
                               [&](std::size_t i) { return to_wire(value(i)); });
  }
  template <class F>  // of std::string_view
  void add_texts(std::size_t n, F value) {
    begin_array(kTextArrayOid, kTextOid, n, false);
    for (std::size_t i = 0; i < n; ++i) {
      const std::string_view text = value(i);
      put(static_cast<std::uint32_t>(text.size()));
      data_.append(text);
    }
    end_value();
  }
  // The rows of a column, in the order `row(0)` … `row(n - 1)`; missing ones are null.
  template <class F>
  void add_column(const track::Column& column, std::size_t n, F row) {
    begin_column(column.type, n);
    for (std::size_t i = 0; i < n; ++i) {
      put_cell(column, row(i));
    }
    end_value();
  }

  std::size_t size() const { return values_.size(); }
  std::size_t bytes() const { return data_.size(); }
  const std::vector<Oid>& types() const { return types_; }
  // For libpq; valid until the next add.
  void pointers(std::vector<const char*>& values, std::vector<int>& lengths,
                std::vector<int>& formats) const;

 private:
  struct Slot {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool null = false;
    bool binary = true;
  };

  template <class U>
  void put(U value) {
    value = to_big_endian(value);
    data_.append(reinterpret_cast<const char*>(&value), sizeof(U));
  }
  template <class U>
  void fixed(Oid type, U value) {
    begin_value(type);
    put(value);
    end_value();
  }
  template <class U, class F>
  void fixed_array(Oid array, Oid element, std::size_t n, F value) {
    begin_array(array, element, n, false);
    data_.reserve(data_.size() + n * (sizeof(U) + 4));
    for (std::size_t i = 0; i < n; ++i) {
      put(static_cast<std::uint32_t>(sizeof(U)));
      put(static_cast<U>(value(i)));
    }
    end_value();
  }
  void bytes(Oid type, std::string_view text);
  void begin_value(Oid type);
  void end_value() { values_.back().end = data_.size(); }
  void begin_array(Oid array, Oid element, std::size_t n, bool nulls);
  void begin_column(track::Type type, std::size_t n);
  void put_cell(const track::Column& column, std::size_t row);

  std::string data_;
  std::vector<Slot> values_;
  std::vector<Oid> types_;
};

// The SQL names of a field's type and of its arrays: "text", "double precision", …
const char* sql_type(track::Type type);

// What a statement has answered, in binary format. Movable; the views it gives live as long as it.
class Answer {
 public:
  Answer() = default;
  explicit Answer(pg_result* result) : result_(result) {}

  int rows() const;
  int columns() const;
  Oid type(int column) const;
  std::int64_t affected() const;
  bool is_null(int row, int column) const;
  std::int16_t int2(int row, int column) const;
  std::int32_t int4(int row, int column) const;
  std::int64_t int8(int row, int column) const;
  double float8(int row, int column) const;
  bool boolean(int row, int column) const;
  base::Instant instant(int row, int column) const;            // kNever for null
  std::string_view text(int row, int column) const;            // "" for null
  std::vector<std::int32_t> int4s(int row, int column) const;  // an array without nulls, or null
  // Appends the cell to a column of that type.
  void append_to(track::Column& column, int row, int col) const;

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

}  // namespace turnout::store::postgres
