#pragma once

// Reads delimited text (RFC 4180 and what spreadsheets make of it) record by record, from a stream
// of bytes of any length in bounded memory.
//
// Beyond the RFC: the delimiter may be a comma, semicolon, tab or bar and is found by looking at
// the first line; a byte order mark is skipped; lines end in CRLF, LF or CR; empty lines are passed
// over; a quote inside an unquoted field stands for itself. A record that cannot be read is
// reported once, with its line and what to do, and reading goes on behind it: after a quote that is
// never closed, at the line after the one that it stands on.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace turnout::cli {

inline constexpr std::size_t kMaxCsvField = 64 * 1024;     // bytes of one field
inline constexpr std::size_t kMaxCsvRecord = 1024 * 1024;  // bytes of one record, quotes included
inline constexpr std::size_t kMaxCsvColumns = 1'000;

struct CsvRecord {
  std::uint64_t line = 0;  // of the file, 1 for the first, where the record begins
  std::vector<std::string> fields;
};

struct CsvProblem {
  std::uint64_t line = 0;
  std::string message;
  std::string remedy;
};

enum class CsvRead { kRecord, kProblem, kEnd };

// Not thread-safe.
class CsvReader {
 public:
  // Fills at most `size` bytes and returns how many; 0 at the end. A failure of the source is the
  // source's to report.
  using Source = std::function<std::size_t(char* to, std::size_t size)>;

  // `delimiter` 0: found by looking at the first line.
  explicit CsvReader(Source source, char delimiter = 0);

  // kRecord: `record` is filled. kProblem: `problem` is, and the next call goes on behind it.
  CsvRead next(CsvRecord& record, CsvProblem& problem);

  char delimiter() const { return delimiter_; }                 // 0 before the first call
  std::uint64_t bytes_read() const { return consumed_ + at_; }  // of the records given so far

 private:
  enum class Scan { kDone, kStray, kOpenQuote, kFieldTooLong, kRecordTooLong, kTooManyColumns };

  bool fill();  // reads more; false at the end
  bool has(std::size_t at) {
    while (at >= buffer_.size()) {
      if (!fill()) {
        return false;
      }
    }
    return true;
  }
  void begin();
  void sniff();
  Scan scan(CsvRecord& record);
  Scan scan_quoted(std::string& field);
  std::size_t end_of_line(std::size_t from);  // offset behind the line's end
  void skip_to(std::size_t at);               // counting lines
  CsvRead problem_of(Scan scan, CsvProblem& problem);

  Source source_;
  char delimiter_;
  std::string buffer_;          // from the current record's beginning on, at least
  std::size_t at_ = 0;          // in buffer_
  std::uint64_t consumed_ = 0;  // bytes dropped from the buffer's front
  std::uint64_t line_ = 1;      // of buffer_[at_]
  bool begun_ = false;
  bool ended_ = false;
};

}  // namespace turnout::cli
