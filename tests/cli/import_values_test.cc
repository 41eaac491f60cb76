#include "cli/import_values.h"

#include <gtest/gtest.h>

#include "cli/import_batch.h"
#include "cli/import_plan.h"

namespace turnout::cli {
namespace {

using track::Missing;
using track::Type;
using track::Value;

Type guess(const std::vector<std::string>& cells) {
  TypeGuess guess;
  for (const std::string& cell : cells) {
    guess.see(cell);
  }
  return guess.type();
}

TEST(ImportValues, ReadsCellsByType) {
  EXPECT_EQ(read_cell(" -3.5 ", Type::kNumber), Value(-3.5));
  EXPECT_EQ(read_cell("1e3", Type::kNumber), Value(1000.0));
  EXPECT_EQ(read_cell("", Type::kNumber), Value(Missing{}));
  for (const char* const bad : {"1,5", "12x", "nan", "inf", "0x10", "1e999", "--1"}) {
    EXPECT_EQ(read_cell(bad, Type::kNumber), std::nullopt) << bad;
  }
  EXPECT_EQ(read_cell("YES", Type::kBoolean), Value(true));
  EXPECT_EQ(read_cell("0", Type::kBoolean), Value(false));
  EXPECT_EQ(read_cell("maybe", Type::kBoolean), std::nullopt);
  EXPECT_EQ(read_cell("1970-01-02", Type::kDate), Value(base::Date{1}));
  EXPECT_EQ(read_cell("2026-02-30", Type::kDate), std::nullopt);
  EXPECT_EQ(read_cell("1970-01-01T00:00:01Z", Type::kTimestamp), Value(base::Instant{1'000'000}));
  EXPECT_EQ(read_cell("1970-01-02", Type::kTimestamp), Value(base::Instant{86'400'000'000}));
  EXPECT_EQ(read_cell(" kept ", Type::kText), Value(std::string(" kept ")));
}

TEST(ImportValues, GuessesTheNarrowestType) {
  EXPECT_EQ(guess({"1", "", "-2.5"}), Type::kNumber);
  EXPECT_EQ(guess({"yes", "no", ""}), Type::kBoolean);
  EXPECT_EQ(guess({"2026-01-01", "2025-12-31"}), Type::kDate);
  EXPECT_EQ(guess({"2026-01-01", "2025-12-31 10:00"}), Type::kTimestamp);
  EXPECT_EQ(guess({"1", "yes"}), Type::kText);
  EXPECT_EQ(guess({"", ""}), Type::kText);
  EXPECT_EQ(guess({"007", "12"}), Type::kText) << "a code would lose its zeros";
  EXPECT_EQ(guess({"0", "0.5"}), Type::kNumber);
}

TEST(ImportValues, MakesFieldNamesOfTitles) {
  EXPECT_EQ(field_name_of("Plan type (EUR)"), "Plan_type_EUR");
  EXPECT_EQ(field_name_of("2nd"), "_2nd");
  EXPECT_EQ(field_name_of("contact"), "contact");
  EXPECT_EQ(field_name_of("???"), "");
}

TEST(ImportValues, FillsKeyTemplates) {
  const std::vector<std::string> names = {"row", "name"};
  auto made = KeyTemplate::parse("{{client}}-{row:05}/{name}", names);
  ASSERT_TRUE(made);
  EXPECT_EQ(made.value().fill({"42", "x"}), "{client}-00042/x");
  for (const char* const bad : {"{nome}", "{row", "row}", "{row:5}", "{row:0x}", "{row:099}"}) {
    EXPECT_FALSE(KeyTemplate::parse(bad, names)) << bad;
  }
  EXPECT_NE(KeyTemplate::parse("{nome}", names).error().message.find("did you mean {name}?"),
            std::string::npos);
}

// A file's records through the plan and the batch.
struct Imported {
  std::string json;
  std::vector<CsvProblem> problems;
  std::string refused;
};

Imported import(ImportOptions options, const std::vector<std::string>& header,
                const std::vector<CsvRecord>& records,
                const track::Catalogue& known = track::built_in_catalogue()) {
  options.file = "f.csv";
  Imported result;
  auto plan = plan_import(options, header, records, known);
  if (!plan) {
    result.refused = plan.error().message;
    return result;
  }
  auto batch = ImportBatch::make(options, header, plan.value());
  if (!batch) {
    result.refused = batch.error().message;
    return result;
  }
  std::uint64_t number = 0;
  for (const CsvRecord& record : records) {
    batch.value()->add(record, ++number, result.problems);
  }
  result.json = batch.value()->json();
  return result;
}

ImportOptions keyed() {
  ImportOptions options;
  options.key = "client-{row:05}";
  options.email = "{key}@example.com";
  return options;
}

// The real data has columns called contact, default, day and month.
TEST(ImportBatch, TakesColumnsWithNamesOfTheLanguageAndOfSql) {
  const Imported done = import(keyed(), {"contact", "default", "day", "month"},
                               {{2, {"cellular", "no", "5", "may"}}});
  EXPECT_EQ(done.refused, "");
  EXPECT_TRUE(done.problems.empty());
  EXPECT_EQ(done.json,
            R"({"columns":[["cellular"],[false],[5.0],["may"],["client-00001@example.com"]],)"
            R"("fields":["contact","default","day","month","email"],"key":["client-00001"]})");
}

TEST(ImportBatch, SaysWhatIsWrongWithALineAndGoesOn) {
  ImportOptions options;
  options.types = {{"age", "number"}};
  const Imported done = import(options, {"key", "age"},
                               {{2, {"a", "1"}},
                                {3, {"b"}},
                                {4, {"c", "abc"}},
                                {5, {"d\xFF", "2"}},
                                {6, {"a", "3"}},
                                {7, {"", "4"}},
                                {8, {std::string(256, 'k'), "5"}},
                                {9, {"e", "6"}}});
  EXPECT_EQ(done.json, R"({"columns":[[1.0,6.0]],"fields":["age"],"key":["a","e"]})");
  ASSERT_EQ(done.problems.size(), 6U);
  const std::vector<std::string> wanted = {"has 1 columns where the header has 2",
                                           "\"abc\" is not a number",
                                           "is not UTF-8",
                                           "stands on line 2 already",
                                           "the key is empty",
                                           "longer than 255 bytes"};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(done.problems[i].line, 3 + i);
    EXPECT_NE(done.problems[i].message.find(wanted[i]), std::string::npos)
        << done.problems[i].message;
    EXPECT_FALSE(done.problems[i].remedy.empty());
  }
}

TEST(ImportPlan, RefusesWhatCannotBeMeant) {
  EXPECT_NE(import({}, {"a"}, {}).refused.find("no column is called \"key\""), std::string::npos);
  EXPECT_NE(import(keyed(), {"a b", "a_b"}, {}).refused.find("both the field a_b"),
            std::string::npos);
  EXPECT_NE(import(keyed(), {"created_at"}, {}).refused.find("--rename"), std::string::npos);
  ImportOptions options = keyed();
  options.types = {{"agee", "number"}};
  EXPECT_NE(import(options, {"age"}, {}).refused.find("did you mean age?"), std::string::npos);
  options.types = {{"age", "int"}};
  EXPECT_NE(import(options, {"age"}, {}).refused.find("there is no type \"int\""),
            std::string::npos);
}

TEST(ImportPlan, TheServersTypesCount) {
  track::Catalogue known = track::built_in_catalogue();
  known.fields.push_back({"Age", Type::kText, "age"});
  const Imported done = import(keyed(), {"age"}, {{2, {"5"}}}, known);
  EXPECT_EQ(
      done.json,
      R"({"columns":[["5"],["client-00001@example.com"]],"fields":["Age","email"],"key":["client-00001"]})");
  ImportOptions options = keyed();
  options.types = {{"age", "number"}};
  EXPECT_NE(import(options, {"age"}, {}, known).refused.find("the server has this field as text"),
            std::string::npos);
}

}  // namespace
}  // namespace turnout::cli
