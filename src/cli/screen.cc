#include "cli/screen.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "base/check.h"
#include "base/text.h"

namespace turnout::cli {
namespace {

using Clock = std::chrono::steady_clock;

bool may_colour(int descriptor) {
  const char* const term = std::getenv("TERM");           // NOLINT(concurrency-mt-unsafe)
  const char* const no_colour = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe)
  return isatty(descriptor) == 1 && (term == nullptr || std::string_view(term) != "dumb") &&
         (no_colour == nullptr || *no_colour == '\0');
}

std::size_t width(std::string_view text) { return base::count_code_points(text); }

}  // namespace

bool colour_on_output() { return may_colour(STDOUT_FILENO); }
bool colour_on_errors() { return may_colour(STDERR_FILENO); }

std::string painted(std::string_view text, Colour colour, bool on) {
  static constexpr const char* kCodes[] = {"", "31", "32", "33", "1", "2"};
  if (!on || colour == Colour::kNone) {
    return std::string(text);
  }
  return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<std::size_t>(colour)], text);
}

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      c = '?';
    }
  }
  // C1 controls (U+0080 … U+009F) can begin escape sequences too.
  for (std::size_t i = 0; i + 1 < out.size(); ++i) {
    if (static_cast<unsigned char>(out[i]) == 0xC2 &&
        static_cast<unsigned char>(out[i + 1]) < 0xA0) {
      out.replace(i, 2, "?");
    }
  }
  return out;
}

void print_error(std::string_view message) {
  fmt::print(stderr, "{} {}\n", painted("error:", Colour::kRed, colour_on_errors()),
             printable(message));
}

int fail(int exit_code, std::string_view message) {
  print_error(message);
  return exit_code;
}

void Table::add(std::vector<std::string> cells) {
  CHECK(cells.size() == columns_.size());
  for (std::string& cell : cells) {
    cell = printable(cell);
  }
  rows_.push_back(std::move(cells));
}

std::string Table::text(bool colour) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t most = width(columns_[i].title);
    for (const auto& row : rows_) {
      most = std::max(most, width(row[i]));
    }
    widths.push_back(most);
  }
  std::string out;
  const auto line = [&](const auto& cell_of, bool bold) {
    std::string text;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string& cell = cell_of(i);
      const std::string blanks(widths[i] - width(cell), ' ');
      text += i == 0 ? "" : "  ";
      text += columns_[i].align == Align::kRight ? blanks + cell : cell + blanks;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += painted(text, bold ? Colour::kBold : Colour::kNone, colour) + "\n";
  };
  line([&](std::size_t i) -> const std::string& { return columns_[i].title; }, true);
  for (const auto& row : rows_) {
    line([&](std::size_t i) -> const std::string& { return row[i]; }, false);
  }
  return out;
}

std::string counted(std::int64_t number, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", base::with_thousands(number), number == 1 ? one : many);
}

ProgressBar::ProgressBar(std::string what, bool quiet)
    : what_(std::move(what)),
      quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) == 1),
      begun_(Clock::now()),
      shown_(begun_) {}

ProgressBar::~ProgressBar() { clear(); }

void ProgressBar::show(double done, std::int64_t count) {
  const auto now = Clock::now();
  const auto pause = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(2'000);
  if (quiet_ || now - shown_ < pause) {
    return;
  }
  shown_ = now;
  const double seconds = std::chrono::duration<double>(now - begun_).count();
  const auto rate =
      static_cast<std::int64_t>(static_cast<double>(count) / std::max(seconds, 0.001));
  const std::string figures =
      fmt::format("{} {}, {}/s", base::with_thousands(count), what_, base::with_thousands(rate));
  if (!terminal_) {
    const std::string percent = done >= 0 ? fmt::format("{:3.0f} %  ", done * 100) : "";
    fmt::print(stderr, "{}{}\n", percent, figures);
  } else if (done >= 0) {
    constexpr int kWidth = 30;
    const int full = std::clamp(static_cast<int>(done * kWidth), 0, kWidth);
    fmt::print(stderr, "\r\x1b[K[{}{}] {:3.0f} %  {}",
               std::string(static_cast<std::size_t>(full), '#'),
               std::string(static_cast<std::size_t>(kWidth - full), '.'), done * 100, figures);
    drawn_ = true;
  } else {
    fmt::print(stderr, "\r\x1b[K{}", figures);
    drawn_ = true;
  }
  std::fflush(stderr);
}

void ProgressBar::clear() {
  if (drawn_) {
    fmt::print(stderr, "\r\x1b[K");
    std::fflush(stderr);
    drawn_ = false;
  }
}

void ProgressBar::finish(std::int64_t count) {
  shown_ = {};
  show(1, count);
  if (drawn_) {
    fmt::print(stderr, "\n");
    drawn_ = false;
  }
}

}  // namespace turnout::cli
