#pragma once

// What becomes of the columns of a file that is imported: which field each fills, of what type, and
// which of them the server must be told of first.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/csv.h"
#include "track/catalogue.h"

namespace turnout::cli {

struct ImportOptions {
  std::string file;  // "-": standard input
  std::string server;
  std::optional<std::string> key;             // template; none: the column "key"
  std::optional<std::string> email;           // template; none: the column "email" if there is one
  std::map<std::string, std::string> types;   // field → type name
  std::map<std::string, std::string> rename;  // column's title → field
  std::vector<std::string> skip;              // column titles
  char delimiter = 0;
  bool strict = false;
  bool json = false;
};

struct ImportColumn {
  std::size_t index = 0;  // in the file
  std::string title;
  track::Field field;
  bool declared = false;  // the server knows the field
};

struct ImportPlan {
  std::vector<ImportColumn> columns;      // what is sent, without the key
  std::optional<std::size_t> key_column;  // index in the file
  std::vector<std::string> notes;         // what was decided and may surprise
};

// `sample` are the first records. kInvalid: the command line or the header is wrong, in one
// sentence with what to do.
base::Result<ImportPlan> plan_import(const ImportOptions& options,
                                     const std::vector<std::string>& header,
                                     const std::vector<CsvRecord>& sample,
                                     const track::Catalogue& known);

}  // namespace turnout::cli
