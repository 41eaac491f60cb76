#include "edit/place.h"

#include <algorithm>

namespace turnout::edit {
namespace {

// How many bytes the character at `at` has; 1 where it is none.
std::size_t character_bytes(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t wanted = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  std::size_t bytes = 1;
  while (bytes < wanted && at + bytes < text.size() &&
         (static_cast<unsigned char>(text[at + bytes]) & 0xC0U) == 0x80U) {
    ++bytes;
  }
  return bytes < wanted ? 1 : bytes;
}

}  // namespace

std::size_t Lines::Mark::in(Units units) const {
  return units == Units::kUtf8 ? offset : units == Units::kUtf16 ? utf16 : utf32;
}

void Lines::step(std::string_view text, Mark& mark) {
  const std::size_t bytes = character_bytes(text, mark.offset);
  mark.offset += bytes;
  mark.utf16 += bytes == 4 ? 2 : 1;
  mark.utf32 += 1;
}

Lines::Lines(std::string_view text) : begins_{0}, marks_(1) {
  constexpr std::size_t kBetweenMarks = 128;
  for (std::size_t i = text.find_first_of("\r\n"); i != std::string_view::npos;
       i = text.find_first_of("\r\n", i)) {
    i += text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n' ? 2 : 1;
    begins_.push_back(i);
  }
  for (Mark mark; mark.offset < text.size(); step(text, mark)) {
    if (mark.offset >= marks_.back().offset + kBetweenMarks) {
      marks_.push_back(mark);
    }
  }
}

// The last character's beginning that is not behind the offset.
Lines::Mark Lines::mark_before(std::string_view text, std::size_t offset) const {
  Mark mark = *std::prev(
      std::upper_bound(marks_.begin(), marks_.end(), offset,
                       [](std::size_t wanted, const Mark& m) { return wanted < m.offset; }));
  while (mark.offset < offset) {
    Mark next = mark;
    step(text, next);
    if (next.offset > offset) {
      break;
    }
    mark = next;
  }
  return mark;
}

Position Lines::position(std::string_view text, std::size_t offset, Units units) const {
  offset = std::min(offset, text.size());
  const auto behind = std::upper_bound(begins_.begin(), begins_.end(), offset);
  const auto line = static_cast<std::size_t>(behind - begins_.begin()) - 1;
  const std::size_t before = mark_before(text, begins_[line]).in(units);
  return {line, mark_before(text, offset).in(units)-before};
}

std::size_t Lines::offset(std::string_view text, Position position, Units units) const {
  if (position.line >= begins_.size()) {
    return text.size();
  }
  const std::size_t begin = begins_[position.line];
  std::size_t end = position.line + 1 < begins_.size() ? begins_[position.line + 1] : text.size();
  while (end > begin && (text[end - 1] == '\n' || text[end - 1] == '\r')) {
    --end;
  }
  const std::size_t before = mark_before(text, begin).in(units);
  const std::size_t wanted = before + std::min(position.column, text.size());
  Mark mark = *std::prev(
      std::upper_bound(marks_.begin(), marks_.end(), wanted,
                       [units](std::size_t w, const Mark& m) { return w < m.in(units); }));
  for (Mark next = mark; mark.offset < text.size(); mark = next) {
    step(text, next);
    if (next.in(units) > wanted) {
      break;
    }
  }
  return std::clamp(mark.offset, begin, end);
}

void apply(std::string& text, const Edit& edit) {
  const std::size_t begin = std::min(edit.place.begin, text.size());
  const std::size_t end = std::clamp(edit.place.end, begin, text.size());
  text.replace(begin, end - begin, edit.text);
}

}  // namespace turnout::edit
