#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "edit/reading.h"

namespace turnout::edit {

enum class SymbolKind : std::uint8_t { kClause, kStep, kRule, kTest };

// A part of the file.
struct Symbol {
  SymbolKind kind = SymbolKind::kStep;
  std::string name;  // never empty
  std::string detail;
  Stretch whole;
  Stretch head;  // inside `whole`: what to point at
  std::vector<Symbol> children;
};

// Clauses, steps with their rules, and tests, in the order of the text. Linear.
std::vector<Symbol> outline(const Reading& reading);

}  // namespace turnout::edit
