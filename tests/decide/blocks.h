#pragma once

// Blocks and programs for the tests of `decide`, made from track text and from values.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "decide/program.h"
#include "lang/parser.h"
#include "track/block.h"
#include "track/catalogue.h"
#include "track/numbering.h"

namespace turnout::decide {

// A contact of a test: its position and its values by field name.
struct TestRow {
  std::int64_t contact = 1;
  std::int32_t entry = 1;
  std::int32_t move_no = 0;
  std::int32_t step = 0;  // 0: the first step
  track::PositionState state = track::PositionState::kOpen;
  base::Instant step_at;
  base::Instant due_at;
  std::uint64_t stayed = 0;
  std::map<std::string, track::Value> values;
  std::vector<std::string> tags;
};

// A compiled track with its names.
struct TestTrack {
  track::Track track;
  track::Numbering numbering;
  Program program;

  std::int32_t step(const std::string& name) const { return numbering.steps.at(name); }
  std::int32_t outcome(const std::string& name) const { return numbering.outcomes.at(name); }
  track::ContactBlock block(base::Instant now, const std::vector<TestRow>& rows) const;
  track::BlockOutcome run(base::Instant now, const std::vector<TestRow>& rows) const;
};

inline track::Track parsed(const std::string& text) {
  lang::Parsed result = lang::parse(text);
  for (const lang::Diagnostic& diagnostic : result.diagnostics) {
    ADD_FAILURE() << text << "\nline " << diagnostic.span.line << ": " << diagnostic.message;
  }
  return std::move(result.track);
}

inline base::Result<Program> compile(const std::string& text, const track::Catalogue& catalogue) {
  const track::Track track = parsed(text);
  return Program::compile(track, catalogue, track::extend({}, track), base::TrackId(7),
                          base::Version(1));
}

inline TestTrack test_track(const std::string& text, const track::Catalogue& catalogue) {
  track::Track track = parsed(text);
  track::Numbering numbering = track::extend({}, track);
  auto program = Program::compile(track, catalogue, numbering, base::TrackId(7), base::Version(1));
  if (!program) {
    ADD_FAILURE() << program.error().message << "\n" << text;
    std::abort();
  }
  return {std::move(track), std::move(numbering), std::move(program).value()};
}

inline track::ContactBlock make_block(base::Instant now, const std::vector<TestRow>& rows,
                                      const std::vector<track::Field>& fields,
                                      const std::vector<std::string>& tags,
                                      std::int32_t first_step) {
  track::ContactBlock block;
  block.now = now;
  block.columns.resize(fields.size());
  block.tags.resize(tags.size());
  for (std::size_t k = 0; k < fields.size(); ++k) {
    block.columns[k].type = fields[k].type;
  }
  for (const TestRow& row : rows) {
    block.contact.emplace_back(row.contact);
    block.entry.push_back(row.entry);
    block.move_no.push_back(row.move_no);
    block.step.push_back(row.step == 0 ? first_step : row.step);
    block.version.push_back(1);
    block.heard.push_back(0);
    block.state.push_back(row.state);
    block.entered_at.push_back(row.step_at);
    block.step_at.push_back(row.step_at);
    block.due_at.push_back(row.due_at);
    block.stayed.push_back(row.stayed);
    for (std::size_t k = 0; k < fields.size(); ++k) {
      const auto value = row.values.find(fields[k].name);
      block.columns[k].append(value == row.values.end() ? track::Value(track::Missing{})
                                                        : value->second);
    }
    for (std::size_t k = 0; k < tags.size(); ++k) {
      const bool has = std::find(row.tags.begin(), row.tags.end(), tags[k]) != row.tags.end();
      block.tags[k].push_back(has ? 1 : 0);
    }
  }
  return block;
}

inline track::ContactBlock TestTrack::block(base::Instant now,
                                            const std::vector<TestRow>& rows) const {
  return make_block(now, rows, program.fields(), program.tags(), program.first_step());
}

inline track::BlockOutcome TestTrack::run(base::Instant now,
                                          const std::vector<TestRow>& rows) const {
  track::ContactBlock made = block(now, rows);
  track::BlockOutcome out;
  program.run(made, out);
  return out;
}

inline const track::Shape& shape_of(const track::BlockOutcome& out, std::size_t row) {
  return out.shape_of(row);
}

// The first row as the block left it, to be decided again.
inline TestRow next(const TestRow& row, const track::BlockOutcome& out) {
  TestRow after = row;
  const track::Shape& shape = out.shape_of(0);
  if (shape.moves > 0) {
    after.step = shape.step;
    after.move_no += shape.moves;
  }
  after.state = shape.state;
  after.step_at = out.step_at[0];
  after.due_at = out.due_at[0];
  after.stayed = out.stayed[0];
  return after;
}

inline base::Instant at(const char* text) { return base::parse_instant(text).value(); }

// One field of every type, twice each, for conditions that compare two.
inline track::Catalogue test_catalogue() {
  track::Catalogue catalogue = track::built_in_catalogue();
  const std::pair<const char*, track::Type> fields[] = {
      {"name", track::Type::kText},         {"nick", track::Type::kText},
      {"zone", track::Type::kText},         {"score", track::Type::kNumber},
      {"limit", track::Type::kNumber},      {"active", track::Type::kBoolean},
      {"agreed", track::Type::kBoolean},    {"seen_at", track::Type::kTimestamp},
      {"ends_at", track::Type::kTimestamp}, {"born_on", track::Type::kDate},
      {"due_on", track::Type::kDate}};
  for (const auto& [name, type] : fields) {
    catalogue.fields.push_back({name, type, name});
  }
  return catalogue;
}

inline TestTrack made(const std::string& text) { return test_track(text, test_catalogue()); }

inline TestRow with(std::map<std::string, track::Value> values) {
  TestRow row;
  row.values = std::move(values);
  return row;
}

}  // namespace turnout::decide
