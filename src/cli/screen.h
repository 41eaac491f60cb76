#pragma once

// What the commands write: tables and colours on a terminal, plain text elsewhere.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace turnout::cli {

// Whether standard output or error may be coloured: a terminal, TERM is not "dumb", and NO_COLOR is
// not set.
bool colour_on_output();
bool colour_on_errors();

enum class Colour { kNone, kRed, kGreen, kYellow, kBold, kDim };
std::string painted(std::string_view text, Colour colour, bool on);

enum class Align { kLeft, kRight };

// Columns as wide as their widest cell, counted in code points. Control characters in cells are
// shown as "?".
class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> cells);  // one per column
  bool empty() const { return rows_.empty(); }
  // With a line of titles; bold when `colour`.
  std::string text(bool colour) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// "1 contact", "2 contacts", with thousands separated.
std::string counted(std::int64_t number, std::string_view one, std::string_view many);

// Text of others, safe to print: control characters (escape sequences among them) become "?".
std::string printable(std::string_view text);

// "error: …" on standard error, with the message made printable.
void print_error(std::string_view message);
// Likewise; returns the exit code given, for `return fail(kExitWrong, …)`.
int fail(int exit_code, std::string_view message);

// Progress of a long piece of work on standard error: a bar that moves on a terminal, a line now
// and then elsewhere.
class ProgressBar {
 public:
  ProgressBar(std::string what, bool quiet);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // `done` from 0 to 1, or negative when the whole is not known; `count` things so far.
  void show(double done, std::int64_t count);
  // Clears the bar's line so that something else can be written; the next show() draws it again.
  void clear();
  void finish(std::int64_t count);

 private:
  std::string what_;
  bool quiet_;
  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point begun_;
  std::chrono::steady_clock::time_point shown_;
};

}  // namespace turnout::cli
