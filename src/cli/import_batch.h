#pragma once

// Turns the records of a file into batches of contacts, and says what is wrong with those that
// cannot be.

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "cli/import_plan.h"
#include "cli/import_values.h"

namespace turnout::cli {

inline constexpr std::size_t kImportBatchRows = 5'000;

// Not thread-safe.
class ImportBatch {
 public:
  // `header` and `plan` outlive the batch. kInvalid when a template is wrong.
  static base::Result<std::unique_ptr<ImportBatch>> make(const ImportOptions& options,
                                                         const std::vector<std::string>& header,
                                                         const ImportPlan& plan);

  // Adds the record with this number in the file (1 for the first behind the header). Each problem
  // has the record's line. A record with problems is left out.
  void add(const CsvRecord& record, std::uint64_t number, std::vector<CsvProblem>& problems);

  std::size_t rows() const { return keys_.size(); }
  // As POST /api/import takes it.
  std::string json() const;
  void clear();  // begins the next batch; keys seen before are remembered

 private:
  ImportBatch(const std::vector<std::string>& header, const ImportPlan& plan)
      : header_(header), plan_(plan) {}

  bool find_key(const CsvRecord& record, std::uint64_t number, std::string& key,
                std::vector<CsvProblem>& problems);
  void make_places(const CsvRecord& record, std::uint64_t number, const std::string& key,
                   std::vector<std::string_view>& values);

  const std::vector<std::string>& header_;
  const ImportPlan& plan_;
  std::optional<KeyTemplate> key_;
  std::optional<KeyTemplate> email_;
  std::vector<std::string> keys_;
  std::vector<std::string> emails_;                        // with email_
  std::vector<std::vector<track::Value>> values_;          // per column of the plan
  std::unordered_map<std::uint64_t, std::uint64_t> seen_;  // hash of a key → line
  std::string number_text_;
};

}  // namespace turnout::cli
