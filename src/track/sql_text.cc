#include "track/sql_text.h"

namespace turnout::track {
namespace {

bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool in_name(char c) { return begins_name(c) || (c >= '0' && c <= '9'); }

class Reader {
 public:
  explicit Reader(std::string_view sql) : sql_(sql) {}

  std::vector<BoundName> run() {
    while (at_ < sql_.size()) {
      const char c = sql_[at_];
      if (c == '\'' || c == '"') {
        skip_quoted(c);
      } else if (starts("--")) {
        skip_to("\n");
      } else if (starts("/*")) {
        at_ += 2;
        skip_to("*/");
      } else if (c == '$') {
        skip_dollars();
      } else if (c == ':') {
        colon();
      } else if (in_name(c)) {
        skip_word();
      } else {
        ++at_;
      }
    }
    return std::move(names_);
  }

 private:
  bool starts(std::string_view with) const { return sql_.substr(at_).starts_with(with); }

  // Past the next `end`, or to the end of the text.
  void skip_to(std::string_view end) {
    const std::size_t found = sql_.find(end, at_);
    at_ = found == std::string_view::npos ? sql_.size() : found + end.size();
  }

  // A quote within is written twice, which reads as two quoted texts side by side.
  void skip_quoted(char quote) {
    ++at_;
    skip_to({&quote, 1});
  }

  // A whole word, so that the dollar in `a$b` begins nothing.
  void skip_word() {
    while (at_ < sql_.size() && (in_name(sql_[at_]) || sql_[at_] == '$')) {
      ++at_;
    }
  }

  // $$…$$ or $tag$…$tag$.
  void skip_dollars() {
    std::size_t end = at_ + 1;
    while (end < sql_.size() && in_name(sql_[end])) {
      ++end;
    }
    const bool digit = at_ + 1 < sql_.size() && sql_[at_ + 1] >= '0' && sql_[at_ + 1] <= '9';
    if (end == sql_.size() || sql_[end] != '$' || digit) {
      at_ = end;  // a numbered parameter
      return;
    }
    const std::string_view tag = sql_.substr(at_, end + 1 - at_);
    at_ = end + 1;
    skip_to(tag);
  }

  void colon() {
    if (starts("::")) {
      at_ += 2;
      return;
    }
    std::size_t end = at_ + 1;
    if (end == sql_.size() || !begins_name(sql_[end])) {
      ++at_;
      return;
    }
    while (end < sql_.size() && (in_name(sql_[end]) || dot(end))) {
      ++end;
    }
    names_.push_back({std::string(sql_.substr(at_ + 1, end - at_ - 1)), at_, end});
    at_ = end;
  }
  // A dot between two parts of a name.
  bool dot(std::size_t at) const {
    return sql_[at] == '.' && at + 1 < sql_.size() && begins_name(sql_[at + 1]);
  }

  std::string_view sql_;
  std::size_t at_ = 0;
  std::vector<BoundName> names_;
};

}  // namespace

std::vector<BoundName> bound_names(std::string_view sql) { return Reader(sql).run(); }

}  // namespace turnout::track
