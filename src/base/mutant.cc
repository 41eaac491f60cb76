#include "base/mutant.h"

#ifdef TURNOUT_MUTANTS

#include <cstdlib>
#include <string_view>

#include "base/check.h"

namespace turnout::base {

namespace {

Mutant named() {
  const char* const text = std::getenv("TURNOUT_MUTANT");
  const std::string_view name = text == nullptr ? "" : text;
  if (name.empty()) {
    return Mutant::kNone;
  }
#define TURNOUT_MUTANT_NAMED(known) \
  if (name == #known) {             \
    return Mutant::k##known;        \
  }
  TURNOUT_MUTANT_NAMES(TURNOUT_MUTANT_NAMED)
#undef TURNOUT_MUTANT_NAMED
  CHECK(name == "one of base/mutant.h");
  return Mutant::kNone;
}

}  // namespace

bool planted(Mutant mutant) {
  static const Mutant here = named();
  return here == mutant;
}

}  // namespace turnout::base

#endif
