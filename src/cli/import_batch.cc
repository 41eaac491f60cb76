#include "cli/import_batch.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/hash.h"
#include "base/text.h"
#include "web/api.h"

namespace turnout::cli {
namespace {

using SortedJson = nlohmann::json;

// What a template may name, in the order of make_places().
std::vector<std::string> place_names(const std::vector<std::string>& header) {
  std::vector<std::string> names = {"row", "key"};
  names.insert(names.end(), header.begin(), header.end());
  return names;
}

SortedJson to_json(const track::Value& value) {
  struct Visitor {
    SortedJson operator()(track::Missing) const { return nullptr; }
    SortedJson operator()(bool b) const { return b; }
    SortedJson operator()(double number) const { return number; }
    SortedJson operator()(const std::string& text) const { return text; }
    SortedJson operator()(base::Instant at) const { return base::format_instant(at); }
    SortedJson operator()(base::Date date) const { return base::format_date(date); }
  };
  return std::visit(Visitor{}, value);
}

// The first few code points of a cell, for a message.
std::string excerpt(const std::string& cell) {
  constexpr std::size_t kMost = 40;
  std::size_t cut = std::min(cell.size(), kMost);
  while (cut > 0 && cut < cell.size() && (static_cast<unsigned char>(cell[cut]) & 0xC0U) == 0x80U) {
    --cut;
  }
  return cut < cell.size() ? cell.substr(0, cut) + "…" : cell;
}

// Whether the bytes can be stored as text at all.
bool check_bytes(const CsvRecord& record, const std::vector<std::string>& header,
                 std::vector<CsvProblem>& problems) {
  const std::size_t before = problems.size();
  for (std::size_t i = 0; i < record.fields.size(); ++i) {
    if (base::first_invalid_utf8(record.fields[i]) != std::string::npos) {
      problems.push_back({record.line, fmt::format("column \"{}\" is not UTF-8", header[i]),
                          "save the file as UTF-8 (iconv -f latin1 -t utf-8 OLD > NEW)"});
    } else if (record.fields[i].find('\0') != std::string::npos) {
      problems.push_back(
          {record.line, fmt::format("column \"{}\" has a NUL byte", header[i]),
           "remove it; if all lines have them, the file is UTF-16: save it as UTF-8"});
    }
  }
  return problems.size() == before;
}

}  // namespace

base::Result<std::unique_ptr<ImportBatch>> ImportBatch::make(const ImportOptions& options,
                                                             const std::vector<std::string>& header,
                                                             const ImportPlan& plan) {
  std::unique_ptr<ImportBatch> batch(new ImportBatch(header, plan));
  std::vector<std::string> names = place_names(header);
  if (options.email) {
    TRY(auto email, KeyTemplate::parse(*options.email, names));
    batch->email_ = std::move(email);
  }
  if (options.key) {
    names[1].clear();  // the key cannot be made from itself
    TRY(auto key, KeyTemplate::parse(*options.key, names));
    batch->key_ = std::move(key);
  }
  batch->values_.resize(plan.columns.size());
  return batch;
}

void ImportBatch::make_places(const CsvRecord& record, std::uint64_t number, const std::string& key,
                              std::vector<std::string_view>& values) {
  number_text_ = std::to_string(number);
  values = {number_text_, key};
  values.insert(values.end(), record.fields.begin(), record.fields.end());
}

bool ImportBatch::find_key(const CsvRecord& record, std::uint64_t number, std::string& key,
                           std::vector<CsvProblem>& problems) {
  if (key_) {
    std::vector<std::string_view> values;
    make_places(record, number, "", values);
    key = key_->fill(values);
  } else {
    CHECK(plan_.key_column.has_value());
    key = record.fields[*plan_.key_column];
  }
  if (key.empty()) {
    problems.push_back({record.line, "the key is empty", "every contact needs a key of its own"});
    return false;
  }
  if (key.size() > web::kMaxKeyBytes) {
    problems.push_back(
        {record.line,
         fmt::format("the key \"{}\" is longer than {} bytes", excerpt(key), web::kMaxKeyBytes),
         "shorten it"});
    return false;
  }
  return true;
}

void ImportBatch::add(const CsvRecord& record, std::uint64_t number,
                      std::vector<CsvProblem>& problems) {
  if (record.fields.size() != header_.size()) {
    problems.push_back({record.line,
                        fmt::format("has {} columns where the header has {}", record.fields.size(),
                                    header_.size()),
                        "put fields that hold the separator in quotes"});
    return;
  }
  const std::size_t before = problems.size();
  std::string key;
  if (!check_bytes(record, header_, problems) || !find_key(record, number, key, problems)) {
    return;
  }
  std::vector<track::Value> row;
  for (const ImportColumn& column : plan_.columns) {
    const std::string& cell = record.fields[column.index];
    auto value = read_cell(cell, column.field.type);
    if (!value) {
      problems.push_back(
          {record.line,
           fmt::format("column \"{}\": \"{}\" is not {}", column.title, excerpt(cell),
                       what_is_wanted(column.field.type)),
           column.declared ? "correct it, or leave it empty"
                           : fmt::format("correct it, or import the column as text: --type {}=text",
                                         column.field.name)});
    } else if (column.field.name == "email" && cell.size() > web::kMaxEmailBytes) {
      problems.push_back(
          {record.line,
           fmt::format("column \"{}\" is longer than {} bytes", column.title, web::kMaxEmailBytes),
           "shorten it"});
    } else {
      row.push_back(std::move(*value));
    }
  }
  if (problems.size() != before) {
    return;
  }
  const auto [earlier, fresh] = seen_.emplace(base::hash_text(key), record.line);
  if (!fresh) {
    problems.push_back(
        {record.line,
         fmt::format("the key \"{}\" stands on line {} already", excerpt(key), earlier->second),
         "each contact stands in a file once; the first line counts"});
    return;
  }
  if (email_) {
    std::vector<std::string_view> values;
    make_places(record, number, key, values);
    emails_.push_back(email_->fill(values));
  }
  keys_.push_back(std::move(key));
  for (std::size_t i = 0; i < row.size(); ++i) {
    values_[i].push_back(std::move(row[i]));
  }
}

std::string ImportBatch::json() const {
  SortedJson fields = SortedJson::array();
  SortedJson columns = SortedJson::array();
  for (std::size_t i = 0; i < values_.size(); ++i) {
    fields.push_back(plan_.columns[i].field.name);
    SortedJson column = SortedJson::array();
    column.get_ref<SortedJson::array_t&>().reserve(keys_.size());
    for (const track::Value& value : values_[i]) {
      column.push_back(to_json(value));
    }
    columns.push_back(std::move(column));
  }
  if (email_) {
    fields.push_back("email");
    columns.push_back(emails_);
  }
  return SortedJson{{"key", keys_}, {"fields", std::move(fields)}, {"columns", std::move(columns)}}
      .dump();
}

void ImportBatch::clear() {
  keys_.clear();
  emails_.clear();
  for (auto& column : values_) {
    column.clear();
  }
}

}  // namespace turnout::cli
