#include "store/postgres/binary.h"

#include <libpq-fe.h>

#include <cstdlib>
#include <cstring>
#include <variant>

#include "base/check.h"

namespace turnout::store::postgres {

namespace {

template <class U>
U load(const char* bytes) {
  U value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return to_big_endian(value);
}

struct ColumnType {
  Oid array;
  Oid element;
};

ColumnType column_type(track::Type type) {
  switch (type) {
    case track::Type::kNumber:
      return {kFloat8ArrayOid, kFloat8Oid};
    case track::Type::kBoolean:
      return {kBoolArrayOid, kBoolOid};
    case track::Type::kTimestamp:
      return {kTimestampArrayOid, kTimestampOid};
    case track::Type::kDate:
      return {kDateArrayOid, kDateOid};
    case track::Type::kText:
    case track::Type::kUntyped:
      break;
  }
  return {kTextArrayOid, kTextOid};
}

}  // namespace

const char* sql_type(track::Type type) {
  switch (type) {
    case track::Type::kNumber:
      return "double precision";
    case track::Type::kBoolean:
      return "boolean";
    case track::Type::kTimestamp:
      return "timestamptz";
    case track::Type::kDate:
      return "date";
    case track::Type::kText:
    case track::Type::kUntyped:
      break;
  }
  return "text";
}

void Params::begin_value(Oid type) {
  types_.push_back(type);
  values_.push_back({data_.size(), data_.size(), false, true});
}

void Params::bytes(Oid type, std::string_view text) {
  begin_value(type);
  data_.append(text);
  end_value();
}

void Params::add_null(Oid type) {
  begin_value(type);
  values_.back().null = true;
}

void Params::add_untyped(std::string_view text) {
  begin_value(0);
  values_.back().binary = false;
  data_.append(text);
  data_.push_back('\0');  // libpq measures text parameters itself
  end_value();
}

void Params::add(const track::Value& value) {
  if (std::holds_alternative<track::Missing>(value)) {
    add_null(0);
  } else if (const bool* flag = std::get_if<bool>(&value)) {
    add(*flag);
  } else if (const double* number = std::get_if<double>(&value)) {
    add(*number);
  } else if (const std::string* text = std::get_if<std::string>(&value)) {
    add(std::string_view(*text));
  } else if (const base::Instant* at = std::get_if<base::Instant>(&value)) {
    add(*at);
  } else {
    add(std::get<base::Date>(value));
  }
}

void Params::begin_array(Oid array, Oid element, std::size_t n, bool nulls) {
  begin_value(array);
  put(static_cast<std::uint32_t>(n == 0 ? 0 : 1));  // dimensions
  put(static_cast<std::uint32_t>(nulls ? 1 : 0));
  put(static_cast<std::uint32_t>(element));
  if (n > 0) {
    put(static_cast<std::uint32_t>(n));
    put(static_cast<std::uint32_t>(1));  // first index
  }
}

void Params::begin_column(track::Type type, std::size_t n) {
  const ColumnType types = column_type(type);
  begin_array(types.array, types.element, n, true);
}

void Params::put_cell(const track::Column& column, std::size_t row) {
  if (column.present[row] == 0) {
    put(static_cast<std::uint32_t>(0xFFFFFFFF));
    return;
  }
  switch (column.type) {
    case track::Type::kNumber:
      put(static_cast<std::uint32_t>(8));
      put(std::bit_cast<std::uint64_t>(column.number[row]));
      return;
    case track::Type::kBoolean:
      put(static_cast<std::uint32_t>(1));
      put(static_cast<std::uint8_t>(column.boolean[row] != 0 ? 1 : 0));
      return;
    case track::Type::kTimestamp:
      put(static_cast<std::uint32_t>(8));
      put(static_cast<std::uint64_t>(to_wire(base::Instant{column.time[row]})));
      return;
    case track::Type::kDate:
      put(static_cast<std::uint32_t>(4));
      put(static_cast<std::uint32_t>(static_cast<std::int32_t>(column.time[row]) - kEpochDays));
      return;
    case track::Type::kText:
    case track::Type::kUntyped: {
      const std::string_view text = column.text[row];
      put(static_cast<std::uint32_t>(text.size()));
      data_.append(text);
      return;
    }
  }
}

void Params::pointers(std::vector<const char*>& values, std::vector<int>& lengths,
                      std::vector<int>& formats) const {
  for (const Slot& slot : values_) {
    values.push_back(slot.null ? nullptr : data_.data() + slot.begin);
    lengths.push_back(static_cast<int>(slot.end - slot.begin));
    formats.push_back(slot.binary ? 1 : 0);
  }
}

void Answer::Clear::operator()(pg_result* result) const { PQclear(result); }

int Answer::rows() const { return PQntuples(result_.get()); }
int Answer::columns() const { return PQnfields(result_.get()); }
Oid Answer::type(int column) const { return PQftype(result_.get(), column); }

std::int64_t Answer::affected() const {
  return std::strtoll(PQcmdTuples(result_.get()), nullptr, 10);
}

bool Answer::is_null(int row, int column) const {
  return PQgetisnull(result_.get(), row, column) != 0;
}
std::int16_t Answer::int2(int row, int column) const {
  return static_cast<std::int16_t>(load<std::uint16_t>(PQgetvalue(result_.get(), row, column)));
}
std::int32_t Answer::int4(int row, int column) const {
  return static_cast<std::int32_t>(load<std::uint32_t>(PQgetvalue(result_.get(), row, column)));
}
std::int64_t Answer::int8(int row, int column) const {
  return static_cast<std::int64_t>(load<std::uint64_t>(PQgetvalue(result_.get(), row, column)));
}
double Answer::float8(int row, int column) const {
  return std::bit_cast<double>(int8(row, column));
}
bool Answer::boolean(int row, int column) const {
  return *PQgetvalue(result_.get(), row, column) != 0;
}
base::Instant Answer::instant(int row, int column) const {
  return is_null(row, column) ? track::kNever : instant_from_wire(int8(row, column));
}
std::string_view Answer::text(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::vector<std::int32_t> Answer::int4s(int row, int column) const {
  std::vector<std::int32_t> out;
  if (is_null(row, column)) {
    return out;
  }
  const char* at = PQgetvalue(result_.get(), row, column);
  if (load<std::uint32_t>(at) == 0) {
    return out;
  }
  const auto n = load<std::uint32_t>(at + 12);
  CHECK(static_cast<std::size_t>(PQgetlength(result_.get(), row, column)) ==
        20 + std::size_t{n} * 8);
  out.reserve(n);
  at += 20;
  for (std::uint32_t i = 0; i < n; ++i, at += 8) {
    out.push_back(static_cast<std::int32_t>(load<std::uint32_t>(at + 4)));
  }
  return out;
}

void Answer::append_to(track::Column& column, int row, int col) const {
  const bool present = !is_null(row, col);
  column.present.push_back(present ? 1 : 0);
  switch (column.type) {
    case track::Type::kNumber:
      column.number.push_back(present ? float8(row, col) : 0.0);
      return;
    case track::Type::kBoolean:
      column.boolean.push_back(present && boolean(row, col) ? 1 : 0);
      return;
    case track::Type::kTimestamp:
      column.time.push_back(present ? instant_from_wire(int8(row, col)).us : 0);
      return;
    case track::Type::kDate:
      column.time.push_back(present ? int4(row, col) + kEpochDays : 0);
      return;
    case track::Type::kText:
    case track::Type::kUntyped:
      column.text.append(present ? text(row, col) : std::string_view());
      return;
  }
}

}  // namespace turnout::store::postgres
