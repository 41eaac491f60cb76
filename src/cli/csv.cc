#include "cli/csv.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace turnout::cli {
namespace {

constexpr std::size_t kReadBytes = 256 * 1024;
constexpr std::string_view kDelimiters = ",;\t|";

bool is_line_end(char c) { return c == '\n' || c == '\r'; }

}  // namespace

CsvReader::CsvReader(Source source, char delimiter)
    : source_(std::move(source)), delimiter_(delimiter) {}

bool CsvReader::fill() {
  if (ended_) {
    return false;
  }
  const std::size_t old = buffer_.size();
  buffer_.resize(old + kReadBytes);
  const std::size_t got = source_(buffer_.data() + old, kReadBytes);
  buffer_.resize(old + std::min(got, kReadBytes));
  ended_ = got == 0;
  return got > 0;
}

void CsvReader::begin() {
  begun_ = true;
  has(2);
  if (buffer_.starts_with("\xEF\xBB\xBF")) {
    at_ = 3;
  }
  if (delimiter_ == 0) {
    sniff();
  }
}

// The delimiter that stands most often outside quotes on the first line that is not empty.
void CsvReader::sniff() {
  std::size_t at = at_;
  while (has(at) && is_line_end(buffer_[at])) {
    ++at;
  }
  std::size_t counts[kDelimiters.size()] = {};
  bool quoted = false;
  for (; at - at_ < kMaxCsvRecord && has(at); ++at) {
    const char c = buffer_[at];
    if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && is_line_end(c)) {
      break;
    } else if (const std::size_t which = kDelimiters.find(c);
               !quoted && which != std::string_view::npos) {
      ++counts[which];
    }
  }
  const auto* best = std::max_element(std::begin(counts), std::end(counts));
  delimiter_ = kDelimiters[static_cast<std::size_t>(best - std::begin(counts))];
}

CsvRead CsvReader::next(CsvRecord& record, CsvProblem& problem) {
  if (!begun_) {
    begin();
  }
  while (has(at_) && is_line_end(buffer_[at_])) {
    skip_to(end_of_line(at_));
  }
  if (at_ >= kReadBytes) {
    buffer_.erase(0, at_);
    consumed_ += at_;
    at_ = 0;
  }
  if (!has(at_)) {
    return CsvRead::kEnd;
  }
  record.line = line_;
  const Scan result = scan(record);
  if (result != Scan::kDone) {
    return problem_of(result, problem);
  }
  return CsvRead::kRecord;
}

// Reads one record from at_ on and leaves at_ behind its line end; on a problem, where it was
// found.
CsvReader::Scan CsvReader::scan(CsvRecord& record) {
  record.fields.clear();
  const std::size_t start = at_;
  while (true) {
    if (record.fields.size() == kMaxCsvColumns) {
      return Scan::kTooManyColumns;
    }
    std::string& field = record.fields.emplace_back();
    if (has(at_) && buffer_[at_] == '"') {
      if (const Scan result = scan_quoted(field); result != Scan::kDone) {
        return result;
      }
    } else {
      const std::size_t from = at_;
      while (has(at_) && buffer_[at_] != delimiter_ && !is_line_end(buffer_[at_])) {
        if (++at_ - from > kMaxCsvField) {
          return Scan::kFieldTooLong;
        }
      }
      field.assign(buffer_, from, at_ - from);
    }
    if (at_ - start > kMaxCsvRecord) {
      return Scan::kRecordTooLong;
    }
    if (!has(at_) || is_line_end(buffer_[at_])) {
      skip_to(end_of_line(at_));
      return Scan::kDone;
    }
    ++at_;  // the delimiter
  }
}

CsvReader::Scan CsvReader::scan_quoted(std::string& field) {
  const std::size_t open = at_;
  for (++at_; has(at_); ++at_) {
    const char c = buffer_[at_];
    if (c == '"') {
      if (has(at_ + 1) && buffer_[at_ + 1] == '"') {
        ++at_;
      } else {
        ++at_;
        const bool over = !has(at_) || buffer_[at_] == delimiter_ || is_line_end(buffer_[at_]);
        line_ += static_cast<std::uint64_t>(
            std::count(buffer_.begin() + static_cast<std::ptrdiff_t>(open),
                       buffer_.begin() + static_cast<std::ptrdiff_t>(at_), '\n'));
        return over ? Scan::kDone : Scan::kStray;
      }
    }
    if (field.size() == kMaxCsvField) {
      at_ = open;
      return Scan::kFieldTooLong;
    }
    field.push_back(c);
  }
  at_ = open;
  return Scan::kOpenQuote;
}

std::size_t CsvReader::end_of_line(std::size_t from) {
  while (has(from) && !is_line_end(buffer_[from])) {
    ++from;
  }
  if (!has(from)) {
    return from;
  }
  return buffer_[from] == '\r' && has(from + 1) && buffer_[from + 1] == '\n' ? from + 2 : from + 1;
}

// Moves on to `at`, the end of the line that at_ is on.
void CsvReader::skip_to(std::size_t at) {
  if (at > at_ && is_line_end(buffer_[at - 1])) {
    ++line_;
  }
  at_ = at;
}

CsvRead CsvReader::problem_of(Scan scan, CsvProblem& problem) {
  problem.line = line_;
  switch (scan) {
    case Scan::kStray:
      problem.message = "text stands behind a closing quote";
      problem.remedy = "write a quote inside a quoted field twice (\"\")";
      break;
    case Scan::kOpenQuote:
      problem.message = "a quote is opened and never closed";
      problem.remedy = "close it, or write a quote inside a quoted field twice (\"\")";
      break;
    case Scan::kFieldTooLong:
      problem.message = fmt::format("a field is longer than {} bytes", kMaxCsvField);
      problem.remedy = "shorten it; if the line looks right, look for a quote that is not closed";
      break;
    case Scan::kRecordTooLong:
      problem.message = fmt::format("the record is longer than {} bytes", kMaxCsvRecord);
      problem.remedy = "shorten it; if the line looks right, look for a quote that is not closed";
      break;
    case Scan::kTooManyColumns:
      problem.message = fmt::format("the record has more than {} columns", kMaxCsvColumns);
      problem.remedy = "leave out columns that you do not need";
      break;
    case Scan::kDone:
      break;
  }
  skip_to(end_of_line(at_));
  return CsvRead::kProblem;
}

}  // namespace turnout::cli
