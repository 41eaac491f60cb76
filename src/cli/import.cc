// `turnout import`.

#include <sys/stat.h>

#include <cstdio>
#include <memory>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/http_client.h"
#include "cli/import_batch.h"
#include "cli/import_plan.h"
#include "cli/screen.h"

namespace turnout::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kSampleRows = 1'000;
constexpr std::int64_t kMaxShown = 100;  // problems printed; further ones are counted
constexpr int kMaxTries = 20;            // of one batch, while no server answers

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// The whole of one import. Methods return an exit code other than 0 when it cannot go on.
class Import {
 public:
  explicit Import(const ImportOptions& options)
      : options_(options),
        http_(options.server),
        bar_("contacts", options.json),
        colour_(colour_on_errors()) {}

  int run();

 private:
  int open();
  int read_header();
  int prepare();
  int ask_catalogue(track::Catalogue& known);
  int declare_new();
  int read_rows();
  int take(const CsvRecord& record, std::uint64_t number);
  int send();
  int finish();

  // Reads on to the next record that is one; false at the end. Counts what is not.
  bool next(CsvRecord& record);
  void report(const CsvProblem& problem);
  int usage(const std::string& message) const;
  int stop(int code, const std::string& message);
  int refused(const Reply& reply) { return stop(exit_code(reply), error_text(reply)); }

  const ImportOptions& options_;
  HttpClient http_;
  ProgressBar bar_;
  bool colour_;
  std::unique_ptr<std::FILE, FileCloser> file_;
  std::int64_t file_bytes_ = -1;
  std::unique_ptr<CsvReader> reader_;
  std::vector<std::string> header_;
  std::vector<std::pair<CsvRecord, std::uint64_t>> sample_;
  ImportPlan plan_;
  std::unique_ptr<ImportBatch> batch_;
  std::uint64_t number_ = 0;  // of the record read last, bad ones included
  std::int64_t bad_ = 0;      // records left out
  std::int64_t shown_ = 0;
  std::int64_t sent_ = 0;
  std::int64_t inserted_ = 0;
  std::int64_t updated_ = 0;
  std::int64_t unchanged_ = 0;
};

int Import::stop(int code, const std::string& message) {
  bar_.clear();
  fmt::print(stderr, "{} {}\n", painted("error:", Colour::kRed, colour_), printable(message));
  return code;
}

int Import::usage(const std::string& message) const {
  fmt::print(stderr, "{} {}\n", painted("error:", Colour::kRed, colour_), printable(message));
  return kExitUsage;
}

void Import::report(const CsvProblem& problem) {
  if (++shown_ > kMaxShown) {
    return;
  }
  bar_.clear();
  fmt::print(stderr, "{}:{}: {} {}\n    {}\n", options_.file, problem.line,
             painted("error:", Colour::kRed, colour_), printable(problem.message),
             printable(problem.remedy));
  if (shown_ == kMaxShown) {
    fmt::print(stderr, "further bad lines are counted, not shown\n");
  }
}

int Import::open() {
  if (options_.file == "-") {
    file_.reset(stdin);
  } else {
    file_.reset(std::fopen(options_.file.c_str(), "rbe"));
    struct stat info{};
    if (file_ == nullptr) {
      return stop(kExitWrong, fmt::format("{}: cannot be opened: {}; check the path", options_.file,
                                          std::generic_category().message(errno)));
    }
    if (fstat(fileno(file_.get()), &info) == 0) {
      if (S_ISDIR(info.st_mode)) {
        return stop(kExitWrong, fmt::format("{}: is a folder; give a file", options_.file));
      }
      file_bytes_ = S_ISREG(info.st_mode) ? info.st_size : -1;
    }
  }
  reader_ = std::make_unique<CsvReader>(
      [this](char* to, std::size_t size) { return std::fread(to, 1, size, file_.get()); },
      options_.delimiter);
  return kExitDone;
}

int Import::read_header() {
  CsvRecord record;
  CsvProblem problem;
  const CsvRead read = reader_->next(record, problem);
  if (read == CsvRead::kEnd) {
    return stop(kExitWrong,
                fmt::format("{}: is empty; the first line names the columns", options_.file));
  }
  if (read == CsvRead::kProblem) {
    return stop(kExitWrong, fmt::format("{}:{}: {}; {}", options_.file, problem.line,
                                        problem.message, problem.remedy));
  }
  for (const std::string& title : record.fields) {
    if (base::first_invalid_utf8(title) != std::string::npos ||
        title.find('\0') != std::string::npos) {
      return stop(kExitWrong, fmt::format("{}:{}: the header is not UTF-8; save the file as UTF-8",
                                          options_.file, record.line));
    }
  }
  header_ = std::move(record.fields);
  return kExitDone;
}

bool Import::next(CsvRecord& record) {
  CsvProblem problem;
  while (true) {
    switch (reader_->next(record, problem)) {
      case CsvRead::kEnd:
        return false;
      case CsvRead::kRecord:
        ++number_;
        return true;
      case CsvRead::kProblem:
        ++number_;
        ++bad_;
        report(problem);
        if (options_.strict) {
          return false;
        }
    }
  }
}

int Import::ask_catalogue(track::Catalogue& known) {
  auto reply = http_.get("/api/fields");
  if (!reply) {
    return stop(kExitUnreachable, reply.error().message);
  }
  if (!reply.value().ok()) {
    return refused(reply.value());
  }
  const auto json = Json::parse(reply.value().body, nullptr, false);
  if (!json.is_object() || !json.contains("fields")) {
    return stop(kExitWrong,
                fmt::format("{} is no Turnout server; name one by --server", http_.server()));
  }
  for (const auto& item : json["fields"]) {
    track::Field field{item.value("name", ""), track::Type::kText, ""};
    for (const track::Type type : {track::Type::kNumber, track::Type::kBoolean,
                                   track::Type::kTimestamp, track::Type::kDate}) {
      if (item.value("type", "") == track::type_name(type)) {
        field.type = type;
      }
    }
    known.fields.push_back(std::move(field));
  }
  return kExitDone;
}

int Import::prepare() {
  track::Catalogue known;
  if (const int code = ask_catalogue(known); code != kExitDone) {
    return code;
  }
  std::vector<CsvRecord> records;
  CsvRecord record;
  while (sample_.size() < kSampleRows && next(record)) {
    sample_.emplace_back(record, number_);
    records.push_back(record);
  }
  auto plan = plan_import(options_, header_, records, known);
  if (!plan) {
    return usage(plan.error().message);
  }
  plan_ = std::move(plan.value());
  auto batch = ImportBatch::make(options_, header_, plan_);
  if (!batch) {
    return usage(batch.error().message);
  }
  batch_ = std::move(batch.value());
  for (const std::string& note : plan_.notes) {
    fmt::print(stderr, "note: {}\n", printable(note));
  }
  return declare_new();
}

int Import::declare_new() {
  Json fields = Json::array();
  for (const ImportColumn& column : plan_.columns) {
    if (!column.declared) {
      fields.push_back(
          {{"name", column.field.name}, {"type", track::type_name(column.field.type)}});
    }
  }
  if (fields.empty()) {
    return kExitDone;
  }
  auto reply = http_.post("/api/fields", Json{{"fields", std::move(fields)}}.dump());
  if (!reply) {
    return stop(kExitUnreachable, reply.error().message);
  }
  return reply.value().ok() ? kExitDone : refused(reply.value());
}

int Import::take(const CsvRecord& record, std::uint64_t number) {
  std::vector<CsvProblem> problems;
  batch_->add(record, number, problems);
  for (const CsvProblem& problem : problems) {
    report(problem);
  }
  bad_ += problems.empty() ? 0 : 1;
  return batch_->rows() == kImportBatchRows ? send() : kExitDone;
}

int Import::read_rows() {
  for (const auto& [record, number] : sample_) {
    if (const int code = take(record, number); code != kExitDone) {
      return code;
    }
    if (options_.strict && bad_ > 0) {
      return kExitDone;
    }
  }
  sample_.clear();
  CsvRecord record;
  while (!(options_.strict && bad_ > 0) && next(record)) {
    if (const int code = take(record, number_); code != kExitDone) {
      return code;
    }
  }
  return kExitDone;
}

// A batch changes nothing when it comes twice, so it is sent again while no server answers.
int Import::send() {
  if (batch_->rows() == 0) {
    return kExitDone;
  }
  const std::string body = batch_->json();
  for (int attempt = 1;; ++attempt) {
    auto reply = http_.post("/api/import", body);
    const bool unreachable = !reply || exit_code(reply.value()) == kExitUnreachable;
    if (unreachable && attempt < kMaxTries) {
      std::this_thread::sleep_for(std::chrono::milliseconds(std::min(attempt * 100, 1'000)));
      continue;
    }
    if (!reply) {
      return stop(kExitUnreachable, reply.error().message);
    }
    if (!reply.value().ok()) {
      return refused(reply.value());
    }
    const auto json = Json::parse(reply.value().body, nullptr, false);
    if (json.is_object()) {
      inserted_ += json.value("inserted", std::int64_t{0});
      updated_ += json.value("updated", std::int64_t{0});
      unchanged_ += json.value("unchanged", std::int64_t{0});
    }
    break;
  }
  sent_ += static_cast<std::int64_t>(batch_->rows());
  batch_->clear();
  bar_.show(file_bytes_ > 0
                ? static_cast<double>(reader_->bytes_read()) / static_cast<double>(file_bytes_)
                : -1,
            sent_);
  return kExitDone;
}

int Import::finish() {
  if (file_ != nullptr && std::ferror(file_.get()) != 0) {
    return stop(kExitWrong, fmt::format("{}: cannot be read further: {}", options_.file,
                                        std::generic_category().message(errno)));
  }
  if (options_.strict && bad_ > 0) {
    return stop(kExitWrong,
                fmt::format("stopped at the first bad line (--strict); {} imported before it",
                            counted(sent_, "contact was", "contacts were")));
  }
  if (options_.json) {
    fmt::print("{}\n", Json{{"contacts", sent_},
                            {"inserted", inserted_},
                            {"updated", updated_},
                            {"unchanged", unchanged_},
                            {"bad_lines", bad_}}
                           .dump());
  } else {
    bar_.finish(sent_);
    fmt::print(
        "{}: {} imported ({} new, {} updated, {} unchanged){}\n", options_.file,
        counted(sent_, "contact", "contacts"), base::with_thousands(inserted_),
        base::with_thousands(updated_), base::with_thousands(unchanged_),
        bad_ == 0 ? "" : fmt::format("; {} left out", counted(bad_, "bad line", "bad lines")));
  }
  return bad_ == 0 ? kExitDone : kExitWrong;
}

int Import::run() {
  int code = open();
  for (const auto phase : {&Import::read_header, &Import::prepare, &Import::read_rows,
                           &Import::send, &Import::finish}) {
    if (code != kExitDone) {
      break;
    }
    code = (this->*phase)();
  }
  if (file_.get() == stdin) {
    static_cast<void>(file_.release());  // not ours to close
  }
  return code;
}

}  // namespace

int import_file(const ImportOptions& options) { return Import(options).run(); }

}  // namespace turnout::cli
