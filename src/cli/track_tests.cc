// `turnout test`: runs the tests that stand beside tracks, and says what failed where.

#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/files.h"
#include "cli/known_names.h"
#include "cli/runnable_track.h"
#include "cli/screen.h"
#include "decide/test_case.h"

namespace turnout::cli {
namespace {

struct FileResult {
  std::string file;
  std::vector<decide::TestResult> tests;
};

// Text inside XML, in an attribute or between tags. Control characters, which XML cannot have,
// become "?".
std::string xml(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    }
  }
  return out;
}

std::size_t failed(const FileResult& result) {
  return static_cast<std::size_t>(
      std::count_if(result.tests.begin(), result.tests.end(),
                    [](const decide::TestResult& test) { return !test.failures.empty(); }));
}

// As Jenkins and GitLab read it.
std::string junit(const std::vector<FileResult>& results) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (const FileResult& result : results) {
    out += fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\">\n", xml(result.file),
                       result.tests.size(), failed(result));
    for (const decide::TestResult& test : result.tests) {
      out += fmt::format("    <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\"",
                         xml(result.file), xml(test.name), xml(result.file), test.span.line);
      if (test.failures.empty()) {
        out += "/>\n";
        continue;
      }
      out += ">\n";
      for (const decide::TestFailure& failure : test.failures) {
        out +=
            fmt::format("      <failure message=\"{}\">{}:{}:{}</failure>\n", xml(failure.message),
                        xml(result.file), failure.span.line, failure.span.column);
      }
      out += "    </testcase>\n";
    }
    out += "  </testsuite>\n";
  }
  return out + "</testsuites>\n";
}

void print(const FileResult& result) {
  fmt::print("{}\n", result.file);
  for (const decide::TestResult& test : result.tests) {
    fmt::print("  {}  {}\n", test.failures.empty() ? "ok  " : "FAIL", test.name);
    for (const decide::TestFailure& failure : test.failures) {
      fmt::print("        {}:{}:{}: {}\n", result.file, failure.span.line, failure.span.column,
                 failure.message);
    }
  }
}

std::optional<FileResult> run_file(const std::string& file, const KnownNames& known) {
  const std::optional<track::Track> track = read_runnable(file, known);
  if (!track) {
    return std::nullopt;
  }
  FileResult result{file, {}};
  for (const auto& part : track->parts) {
    if (const auto* const test = std::get_if<track::TestCase>(&part)) {
      result.tests.push_back(decide::run_test(*track, *test, known.catalogue));
    }
  }
  return result;
}

}  // namespace

int test_tracks(const TestOptions& options) {
  int code = kExitDone;
  std::vector<FileResult> results;
  std::size_t tests = 0;
  std::size_t wrong = 0;
  for (const std::string& file : options.files) {
    KnownNames known;
    if (const int learnt = known.learn(options.known, file); learnt != kExitDone) {
      return learnt;
    }
    std::optional<FileResult> result = run_file(file, known);
    if (!result) {
      code = kExitWrong;
      continue;
    }
    print(*result);
    tests += result->tests.size();
    wrong += failed(*result);
    results.push_back(std::move(*result));
  }
  if (options.junit) {
    if (auto written = replace_file(*options.junit, junit(results)); !written) {
      print_error(written.error().message);
      return kExitWrong;
    }
  }
  fmt::print("{}, {}\n", counted(static_cast<std::int64_t>(tests), "test", "tests"),
             wrong == 0 ? std::string("none failed") : fmt::format("{} failed", wrong));
  return wrong > 0 ? kExitWrong : code;
}

}  // namespace turnout::cli
