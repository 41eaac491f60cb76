#pragma once

// CHECK states what only a bug can break. It stays on in release builds: a server that has lost
// track of its own invariants must stop, and its peers take over.

namespace turnout::base {

// Prints file, line, condition and message to standard error and aborts. Thread-safe.
[[noreturn]] void check_failed(const char* file, int line, const char* condition);

}  // namespace turnout::base

#define CHECK(condition)                                             \
  do {                                                               \
    if (!(condition)) [[unlikely]] {                                 \
      ::turnout::base::check_failed(__FILE__, __LINE__, #condition); \
    }                                                                \
  } while (false)
