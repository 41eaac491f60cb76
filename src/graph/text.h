#pragma once

// How wide text will be where it is drawn. There is no font at hand, so widths come from a table:
// those of Helvetica (Adobe's font metrics, AFM), which Arial and Liberation Sans share and most
// sans-serif faces come close to.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace turnout::graph {

// In what type a piece of text is set.
enum class TextStyle { kHeading, kTitle, kAbout, kNote, kHead, kAction, kTarget, kWait, kOutcome };

struct Font {
  double size = 12;  // in pixels, as all lengths here
  double line = 16;  // from one baseline to the next
  bool bold = false;
};
Font font_of(TextStyle style);

// Width of one line of UTF-8. A little too wide rather than too narrow.
double text_width(std::string_view text, const Font& font);

// The text in at most `max_lines` (1 or more) lines no wider than `width`: broken at blanks, in
// words only where a word alone is wider; what is left over is cut off with "…". Runs of white
// space count as one blank. No lines for text without words. Linear.
std::vector<std::string> wrap(std::string_view text, const Font& font, double width,
                              std::size_t max_lines);

// Likewise, in no more lines but of lengths as even as can be: for text that stands by itself.
std::vector<std::string> wrap_evenly(std::string_view text, const Font& font, double width,
                                     std::size_t max_lines);

}  // namespace turnout::graph
