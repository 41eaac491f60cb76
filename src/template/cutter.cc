#include "template/cutter.h"

#include <string>

#include "template/limits.h"
#include "template/source.h"
#include "template/text.h"

namespace turnout::tmpl {
namespace {

using base::Result;

bool is_tag_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_ascii_digit(c);
}

// Splits what is inside a tag into its name and the rest.
void split_tag(std::string_view inside, Piece& piece) {
  std::size_t length = inside.starts_with('#') ? 1 : 0;
  while (length != 1 || inside[0] != '#') {
    if (length >= inside.size() || !is_tag_letter(inside[length])) {
      break;
    }
    ++length;
  }
  piece.name = inside.substr(0, length);
  piece.inside = trim_left(inside.substr(length));
}

class Cutter {
 public:
  explicit Cutter(std::string_view text) : text_(text) {}

  Result<std::deque<Piece>> run() {
    while (at_ < text_.size()) {
      const std::size_t open = next_open(at_);
      add_text(text_.substr(at_, open - at_));
      if (open == std::string_view::npos) {
        break;
      }
      if (++places_ > kMaxPlaces) {
        return base::fail(base::ErrorCode::kExhausted,
                          place_of(text_, open) + ": a template may have " +
                              std::to_string(kMaxPlaces) + " outputs and tags at most");
      }
      if (text_[open + 1] == '{') {
        TRYV(cut_output(open));
      } else {
        TRYV(cut_tag(open));
      }
    }
    return std::move(pieces_);
  }

 private:
  std::size_t next_open(std::size_t from) const {
    std::size_t at = text_.find('{', from);
    while (at != std::string_view::npos && at + 1 < text_.size()) {
      if (text_[at + 1] == '{' || text_[at + 1] == '%') {
        return at;
      }
      at = text_.find('{', at + 1);
    }
    return std::string_view::npos;
  }

  void add_text(std::string_view text) {
    Piece piece;
    piece.whole = text;
    piece.inside = trim_next_ ? trim_left(text) : text;
    trim_next_ = false;
    if (!text.empty()) {
      pieces_.push_back(piece);
    }
  }

  // Where the "}}" is that ends the output beginning at `open`; quoted ones do not count.
  Result<std::size_t> output_end(std::size_t open) const {
    char quote = 0;
    std::size_t quoted_from = 0;
    for (std::size_t at = open + 2; at < text_.size(); ++at) {
      const char c = text_[at];
      if (quote != 0) {
        if (c == '\\') {
          ++at;
        } else if (c == quote) {
          quote = 0;
        }
      } else if (c == '"' || c == '\'') {
        quote = c;
        quoted_from = at;
      } else if (c == '}' && at + 1 < text_.size() && text_[at + 1] == '}') {
        return at;
      }
    }
    if (quote != 0) {
      return mistake(text_, quoted_from, std::string("the quote ") + quote + " is not closed");
    }
    return mistake(text_, open, "{{ is not closed; write }} after the field");
  }

  Result<void> cut_output(std::size_t open) {
    TRY(const std::size_t close, output_end(open));
    Piece piece;
    piece.kind = Piece::Kind::kOutput;
    piece.whole = text_.substr(open, close + 2 - open);
    piece.inside = without_dashes(text_.substr(open + 2, close - open - 2));
    pieces_.push_back(piece);
    at_ = close + 2;
    return base::ok();
  }

  Result<void> cut_tag(std::size_t open) {
    const std::size_t close = text_.find("%}", open + 2);
    if (close == std::string_view::npos) {
      return mistake(text_, open, "{% is not closed; write %} after the tag");
    }
    Piece piece;
    piece.kind = Piece::Kind::kTag;
    piece.whole = text_.substr(open, close + 2 - open);
    split_tag(without_dashes(text_.substr(open + 2, close - open - 2)), piece);
    if (piece.name.empty()) {
      return mistake(text_, open, "there is no tag between {% and %}; write {% if … %}, say");
    }
    at_ = close + 2;
    pieces_.push_back(piece);
    if (piece.name == "raw") {
      trim_next_ = false;  // what is raw keeps its white space
      return cut_raw(open);
    }
    return base::ok();
  }

  // The text up to {% endraw %}, and that tag.
  Result<void> cut_raw(std::size_t open) {
    for (std::size_t at = text_.find("{%", at_); at != std::string_view::npos;
         at = text_.find("{%", at + 2)) {
      const std::size_t close = text_.find("%}", at + 2);
      if (close == std::string_view::npos) {
        break;
      }
      std::string_view inside = text_.substr(at + 2, close - at - 2);
      if (inside.starts_with('-')) {
        inside.remove_prefix(1);  // leaves the white space before it
      }
      const bool trims_after = inside.ends_with('-');
      if (trims_after) {
        inside.remove_suffix(1);
      }
      if (trim(inside) != "endraw") {
        continue;
      }
      add_text(text_.substr(at_, at - at_));
      Piece piece;
      piece.kind = Piece::Kind::kTag;
      piece.whole = text_.substr(at, close + 2 - at);
      piece.name = "endraw";
      pieces_.push_back(piece);
      trim_next_ = trims_after;
      at_ = close + 2;
      return base::ok();
    }
    return mistake(text_, open, "{% raw %} is not closed; write {% endraw %} after the text");
  }

  // Takes the dashes off and lets them take away the white space beside the braces.
  std::string_view without_dashes(std::string_view inside) {
    if (inside.starts_with('-')) {
      inside.remove_prefix(1);
      if (!pieces_.empty() && pieces_.back().kind == Piece::Kind::kText) {
        pieces_.back().inside = trim_right(pieces_.back().inside);
      }
    }
    trim_next_ = inside.ends_with('-');
    if (trim_next_) {
      inside.remove_suffix(1);
    }
    return trim(inside);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::deque<Piece> pieces_;
  std::size_t places_ = 0;
  bool trim_next_ = false;
};

}  // namespace

Result<std::deque<Piece>> cut(std::string_view text) { return Cutter(text).run(); }

Result<std::deque<Piece>> cut_lines(std::string_view text, std::string_view lines) {
  std::deque<Piece> pieces;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    Piece piece;
    piece.kind = Piece::Kind::kTag;
    piece.whole = trim(lines.substr(0, end));
    lines = end == std::string_view::npos ? std::string_view() : lines.substr(end + 1);
    if (piece.whole.empty()) {
      continue;
    }
    split_tag(piece.whole, piece);
    const auto offset = static_cast<std::size_t>(piece.whole.data() - text.data());
    if (piece.name.empty()) {
      return mistake(text, offset, shown(piece.whole) + " is no tag; write one tag in each line");
    }
    if (pieces.size() >= kMaxPlaces) {
      return base::fail(base::ErrorCode::kExhausted,
                        place_of(text, offset) + ": a template may have " +
                            std::to_string(kMaxPlaces) + " outputs and tags at most");
    }
    pieces.push_back(piece);
  }
  return pieces;
}

}  // namespace turnout::tmpl
