// libFuzzer target: any bytes as the JSON form. What is read without problems must read back from
// its text and from its JSON as the same track.
//
//   cmake -B build/fuzz -DCMAKE_CXX_COMPILER=clang++-19 -DTURNOUT_FUZZ=ON && ninja -C build/fuzz
//   lang_json_fuzz build/fuzz/tests/lang_json_fuzz -max_total_time=60 build/fuzz/new
//   tests/lang/corpus/json

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "lang/formatter.h"
#include "lang/parser.h"
#include "track/json_form.h"

// NOLINTNEXTLINE: the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace turnout;  // NOLINT
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const track::TrackFromJson read = track::from_json(text);
  if (!read.ok()) {
    return 0;
  }
  const lang::Parsed parsed = lang::parse(lang::format(read.track));
  const track::TrackFromJson again = track::from_json(track::to_json(read.track));
  if (!parsed.diagnostics.empty() || !(parsed.track == read.track) || !again.ok() ||
      !(again.track == read.track)) {
    std::abort();
  }
  return 0;
}
