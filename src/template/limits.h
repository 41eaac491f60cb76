#pragma once

// How large a template and its rendering may become. Whatever goes beyond is kExhausted, so that a
// template that somebody wrote, and values that somebody sent, cost a bounded time and memory: at
// the limits a rendering takes some seconds at most and about kMaxMadeBytes.

#include <cstddef>

namespace turnout::tmpl {

inline constexpr std::size_t kMaxTemplateBytes = 1u << 20;
inline constexpr std::size_t kMaxPlaces = 10'000;  // `{{ … }}` and `{% … %}` in one template
inline constexpr std::size_t kMaxNameBytes = 200;  // of a dotted name
inline constexpr std::size_t kMaxNesting = 50;     // of tags, and of brackets, inside each other

inline constexpr std::size_t kMaxOutputBytes = 1u << 20;
inline constexpr std::size_t kMaxIterations = 100'000;  // of all loops together
// Tags, outputs, operators, filters, items that a filter looks at, and each kBytesPerStep bytes
// that it reads.
inline constexpr std::size_t kMaxSteps = 2'000'000;
inline constexpr std::size_t kBytesPerStep = 16;
inline constexpr std::size_t kMaxTextBytes = 1u << 20;   // of a text that a filter or capture makes
inline constexpr std::size_t kMaxItems = 100'000;        // of an array that a range or filter makes
inline constexpr std::size_t kMaxMadeBytes = 32u << 20;  // texts and arrays made in one rendering

}  // namespace turnout::tmpl
