// libFuzzer target: any bytes, in pieces of any length. Each record and problem must move on, and
// lines may not run backwards.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "cli/csv.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace turnout::cli;
  if (size == 0) {
    return 0;
  }
  const std::size_t piece = data[0] % 64U + 1U;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::size_t at = 0;
  CsvReader reader([&](char* to, std::size_t room) {
    const std::size_t bytes = std::min({room, piece, text.size() - at});
    text.copy(to, bytes, at);
    at += bytes;
    return bytes;
  });
  CsvRecord record;
  CsvProblem problem;
  std::uint64_t line = 0;
  for (std::size_t count = 0;; ++count) {
    CHECK(count <= size);
    const CsvRead got = reader.next(record, problem);
    if (got == CsvRead::kEnd) {
      CHECK(reader.bytes_read() == text.size());
      return 0;
    }
    const std::uint64_t here = got == CsvRead::kRecord ? record.line : problem.line;
    CHECK(here >= line);
    line = here;
  }
}
