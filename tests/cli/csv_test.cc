#include "cli/csv.h"

#include <gtest/gtest.h>

namespace turnout::cli {
namespace {

struct All {
  std::vector<CsvRecord> records;
  std::vector<CsvProblem> problems;
  char delimiter = 0;
};

// Reads `text`, given in pieces of `piece` bytes.
All read(const std::string& text, std::size_t piece = 1 << 20) {
  std::size_t at = 0;
  CsvReader reader([&](char* to, std::size_t size) {
    const std::size_t bytes = std::min({size, piece, text.size() - at});
    text.copy(to, bytes, at);
    at += bytes;
    return bytes;
  });
  All all;
  CsvRecord record;
  CsvProblem problem;
  while (true) {
    const CsvRead got = reader.next(record, problem);
    if (got == CsvRead::kEnd) {
      break;
    }
    if (got == CsvRead::kRecord) {
      all.records.push_back(record);
    } else {
      all.problems.push_back(problem);
    }
  }
  all.delimiter = reader.delimiter();
  return all;
}

using Fields = std::vector<std::string>;

TEST(Csv, ReadsPlainRecordsWithTheirLines) {
  const All all = read("a,b\n1,2\n3,\n");
  ASSERT_EQ(all.records.size(), 3U);
  EXPECT_EQ(all.records[1].fields, (Fields{"1", "2"}));
  EXPECT_EQ(all.records[2].fields, (Fields{"3", ""}));
  EXPECT_EQ(all.records[2].line, 3U);
  EXPECT_TRUE(all.problems.empty());
}

TEST(Csv, IsTheSameWhateverThePiecesItComesIn) {
  const std::string text = "\xEF\xBB\xBFk;v\r\n\"a;\"\"b\"\"\";\"two\r\nlines\"\r\n\r\nlast;\"\"";
  const All whole = read(text);
  ASSERT_EQ(whole.records.size(), 3U);
  EXPECT_EQ(whole.delimiter, ';');
  EXPECT_EQ(whole.records[0].fields, (Fields{"k", "v"}));
  EXPECT_EQ(whole.records[1].fields, (Fields{"a;\"b\"", "two\r\nlines"}));
  EXPECT_EQ(whole.records[2].fields, (Fields{"last", ""}));
  EXPECT_EQ(whole.records[2].line, 5U);
  for (std::size_t piece = 1; piece < text.size(); ++piece) {
    const All cut = read(text, piece);
    ASSERT_EQ(cut.records.size(), whole.records.size()) << "pieces of " << piece;
    for (std::size_t i = 0; i < cut.records.size(); ++i) {
      EXPECT_EQ(cut.records[i].fields, whole.records[i].fields) << "pieces of " << piece;
      EXPECT_EQ(cut.records[i].line, whole.records[i].line) << "pieces of " << piece;
    }
  }
}

TEST(Csv, FindsTheDelimiter) {
  EXPECT_EQ(read("a;b;\"c,d,e\"\n").delimiter, ';');
  EXPECT_EQ(read("a\tb\n").delimiter, '\t');
  EXPECT_EQ(read("a|b\n").delimiter, '|');
  EXPECT_EQ(read("alone\n").delimiter, ',');
}

TEST(Csv, LinesMayEndInCarriageReturns) {
  const All all = read("a,b\r1,2\r");
  ASSERT_EQ(all.records.size(), 2U);
  EXPECT_EQ(all.records[1].fields, (Fields{"1", "2"}));
  EXPECT_EQ(all.records[1].line, 2U);
}

TEST(Csv, AQuoteInsideAFieldStandsForItself) {
  const All all = read("a,b\n5\" disk,x\n");
  ASSERT_EQ(all.records.size(), 2U);
  EXPECT_EQ(all.records[1].fields[0], "5\" disk");
}

TEST(Csv, TextBehindAClosingQuoteIsSaidAndReadingGoesOn) {
  const All all = read("a,b\n\"x\"y,1\n2,3\n");
  ASSERT_EQ(all.problems.size(), 1U);
  EXPECT_EQ(all.problems[0].line, 2U);
  EXPECT_FALSE(all.problems[0].remedy.empty());
  ASSERT_EQ(all.records.size(), 2U);
  EXPECT_EQ(all.records[1].fields, (Fields{"2", "3"}));
  EXPECT_EQ(all.records[1].line, 3U);
}

TEST(Csv, AQuoteNeverClosedCostsItsLineOnly) {
  const All all = read("a,b\n1,\"open\n2,3\n4,5\n");
  ASSERT_EQ(all.problems.size(), 1U);
  EXPECT_EQ(all.problems[0].line, 2U);
  ASSERT_EQ(all.records.size(), 3U);
  EXPECT_EQ(all.records[1].fields, (Fields{"2", "3"}));
  EXPECT_EQ(all.records[1].line, 3U);
}

TEST(Csv, LimitsAtTheirEdges) {
  const std::string fits(kMaxCsvField, 'x');
  EXPECT_TRUE(read("a\n" + fits + "\n").problems.empty());
  EXPECT_TRUE(read("a\n\"" + fits + "\"\n").problems.empty());
  for (const std::string& text : {"a\n" + fits + "x\nb\n", "a\n\"" + fits + "x\"\nb\n"}) {
    const All all = read(text);
    ASSERT_EQ(all.problems.size(), 1U);
    EXPECT_EQ(all.problems[0].line, 2U);
    ASSERT_EQ(all.records.size(), 2U);
    EXPECT_EQ(all.records[1].fields[0], "b");
  }
  const std::string most(kMaxCsvColumns - 1, ',');
  EXPECT_TRUE(read(most + "\n").problems.empty());
  EXPECT_EQ(read(most + ",\n").problems.size(), 1U);
}

TEST(Csv, EmptyInputsHaveNoRecords) {
  EXPECT_TRUE(read("").records.empty());
  EXPECT_TRUE(read("\xEF\xBB\xBF").records.empty());
  EXPECT_TRUE(read("\r\n\n\n").records.empty());
}

}  // namespace
}  // namespace turnout::cli
