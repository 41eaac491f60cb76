// libFuzzer target: any bytes. What is read without errors must read back from its own text and
// from its JSON as the same track.
//
//   cmake -B build/fuzz -DCMAKE_CXX_COMPILER=clang++-19 -DTURNOUT_FUZZ=ON && ninja -C build/fuzz
//   lang_parse_fuzz build/fuzz/tests/lang_parse_fuzz -max_total_time=60 build/fuzz/new
//   tests/lang/corpus/text tests/lang/tracks

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "lang/checker.h"
#include "lang/formatter.h"
#include "lang/parser.h"
#include "track/catalogue.h"
#include "track/json_form.h"

// NOLINTNEXTLINE: the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace turnout;  // NOLINT
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const track::Catalogue catalogue = track::built_in_catalogue();
  const lang::Analysis analysis = lang::analyse(text, catalogue);
  for (const lang::Diagnostic& d : analysis.diagnostics) {
    lang::render(d, "f", text, true);
  }
  lang::to_json(analysis.diagnostics, "f");
  lang::check_runnable(analysis.track);
  const lang::Parsed parsed = lang::parse(text);
  if (parsed.ok()) {
    const lang::Parsed again = lang::parse(lang::format(parsed.track));
    if (!again.ok() || !(again.track == parsed.track)) {
      std::abort();
    }
    const track::TrackFromJson json = track::from_json(track::to_json(parsed.track));
    if (!json.ok() || !(json.track == parsed.track)) {
      std::abort();
    }
  }
  return 0;
}
