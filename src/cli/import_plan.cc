#include "cli/import_plan.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/import_values.h"

namespace turnout::cli {
namespace {

using base::ErrorCode;
using track::Field;
using track::Type;

const Field* find_ignoring_case(const track::Catalogue& known, const std::string& name) {
  const auto found = std::find_if(known.fields.begin(), known.fields.end(), [&](const Field& f) {
    return base::equals_ignoring_case(f.name, name);
  });
  return found == known.fields.end() ? nullptr : &*found;
}

// Options that name a column must name one that there is.
base::Result<void> check_names(const ImportOptions& options,
                               const std::vector<std::string>& header) {
  std::vector<std::string> named = options.skip;
  for (const auto& [title, field] : options.rename) {
    named.push_back(title);
  }
  for (const std::string& title : named) {
    if (std::find(header.begin(), header.end(), title) == header.end()) {
      const std::string_view meant = base::closest(title, header);
      return base::fail(
          ErrorCode::kInvalid,
          fmt::format("{}: there is no column \"{}\"; {}", options.file, title,
                      meant.empty() ? fmt::format("the columns are {}", fmt::join(header, ", "))
                                    : fmt::format("did you mean \"{}\"?", meant)));
    }
  }
  return base::ok();
}

// The field that a column's title stands for.
base::Result<std::string> name_column(const ImportOptions& options, const std::string& title,
                                      ImportPlan& plan) {
  if (const auto renamed = options.rename.find(title); renamed != options.rename.end()) {
    if (field_name_of(renamed->second) != renamed->second || renamed->second.size() > 63) {
      return base::fail(
          ErrorCode::kInvalid,
          fmt::format(
              "--rename {}={}: a field's name has 1 to 63 letters, digits and \"_\", and does not "
              "begin with a digit",
              title, renamed->second));
    }
    return renamed->second;
  }
  std::string name = field_name_of(title);
  if (name.empty() || name.size() > 63) {
    return base::fail(ErrorCode::kInvalid,
                      fmt::format("{}:1: column \"{}\" cannot be a field's name; give one by "
                                  "--rename \"{}=NAME\", or leave "
                                  "the column out by --skip \"{}\"",
                                  options.file, title, title, title));
  }
  if (name != title) {
    plan.notes.push_back(fmt::format("column \"{}\" becomes the field {}", title, name));
  }
  return name;
}

Type guess_type(const std::vector<CsvRecord>& sample, std::size_t index, std::size_t columns) {
  TypeGuess guess;
  for (const CsvRecord& record : sample) {
    if (record.fields.size() == columns) {
      guess.see(record.fields[index]);
    }
  }
  return guess.type();
}

// --type for a field, else none.
base::Result<std::optional<Type>> asked_type(const ImportOptions& options,
                                             const std::string& field) {
  const auto asked = options.types.find(field);
  if (asked == options.types.end()) {
    return std::optional<Type>();
  }
  const auto type = track::type_named(asked->second);
  if (!type) {
    return base::fail(
        ErrorCode::kInvalid,
        fmt::format(
            "--type {}={}: there is no type \"{}\"; types are text, number, boolean, timestamp and "
            "date",
            field, asked->second, asked->second));
  }
  return type;
}

base::Result<void> add_column(const ImportOptions& options, std::size_t index, std::string name,
                              const std::string& title, Type guessed, const track::Catalogue& known,
                              ImportPlan& plan) {
  ImportColumn column{index, title, {name, guessed, ""}, false};
  TRY(const auto asked, asked_type(options, name));
  if (const Field* const field = find_ignoring_case(known, name)) {
    if (field->name == "created_at" || field->name == "updated_at") {
      return base::fail(
          ErrorCode::kInvalid,
          fmt::format("{}:1: the database keeps the field {} itself; take another name by --rename "
                      "\"{}=NAME\", or leave the column out by --skip \"{}\"",
                      options.file, field->name, title, title));
    }
    if (asked && *asked != field->type) {
      return base::fail(
          ErrorCode::kInvalid,
          fmt::format(
              "--type {}={}: the server has this field as {}; leave --type out, or take another "
              "field by --rename",
              name, track::type_name(*asked), track::type_name(field->type)));
    }
    if (field->name != name) {
      plan.notes.push_back(fmt::format("column \"{}\" goes to the field {}, which the server has",
                                       title, field->name));
    }
    column.field = *field;
    column.declared = true;
  } else if (asked) {
    column.field.type = *asked;
  }
  plan.columns.push_back(std::move(column));
  return base::ok();
}

base::Result<void> check_types_used(const ImportOptions& options, const ImportPlan& plan) {
  for (const auto& [name, type] : options.types) {
    std::vector<std::string> fields;
    fields.reserve(plan.columns.size());
    for (const ImportColumn& column : plan.columns) {
      fields.push_back(column.field.name);
    }
    if (std::find(fields.begin(), fields.end(), name) == fields.end()) {
      const std::string_view meant = base::closest(name, fields);
      return base::fail(ErrorCode::kInvalid,
                        fmt::format("--type {}={}: no column fills this field{}", name, type,
                                    meant.empty() ? "" : fmt::format("; did you mean {}?", meant)));
    }
  }
  return base::ok();
}

}  // namespace

base::Result<ImportPlan> plan_import(const ImportOptions& options,
                                     const std::vector<std::string>& header,
                                     const std::vector<CsvRecord>& sample,
                                     const track::Catalogue& known) {
  ImportPlan plan;
  TRYV(check_names(options, header));
  std::map<std::string, std::string> taken;  // field in lower case → title
  for (std::size_t i = 0; i < header.size(); ++i) {
    const std::string& title = header[i];
    if (std::find(options.skip.begin(), options.skip.end(), title) != options.skip.end()) {
      continue;
    }
    TRY(const std::string name, name_column(options, title, plan));
    const auto [other, fresh] = taken.emplace(base::to_lower_ascii(name), title);
    if (!fresh) {
      return base::fail(ErrorCode::kInvalid,
                        fmt::format("{}:1: columns \"{}\" and \"{}\" are both the field {}; give "
                                    "one of them another name by "
                                    "--rename, or leave it out by --skip",
                                    options.file, other->second, title, name));
    }
    if (base::equals_ignoring_case(name, "key")) {
      plan.key_column = i;
    } else if (!(options.email && base::equals_ignoring_case(name, "email"))) {
      TRYV(add_column(options, i, name, title, guess_type(sample, i, header.size()), known, plan));
    }
  }
  if (!plan.key_column && !options.key) {
    return base::fail(
        ErrorCode::kInvalid,
        fmt::format(
            "{}:1: no column is called \"key\"; say what tells contacts apart, such as --key "
            "\"{{customer_no}}\" for a column or --key \"client-{{row:05}}\" for the line's number",
            options.file));
  }
  TRYV(check_types_used(options, plan));
  return plan;
}

}  // namespace turnout::cli
