// The published JSON Schema: it is what the program prints, the random tracks of the other tests
// use every branch of it, and a validator that we did not write judges as our reader does.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "coverage.h"
#include "generate.h"
#include "lang/formatter.h"
#include "lang/parser.h"
#include "samples.h"
#include "track/json_form.h"

namespace turnout::lang {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path kSource = TURNOUT_SOURCE_DIR;

TEST(Schema, IsPublished) {
  EXPECT_EQ(read_file(kSource / "docs/formats/track.schema.json"), track::json_schema())
      << "write it anew: turnout convert --schema > docs/formats/track.schema.json";
}

// What the reader takes and the writer never writes: lists that the writer writes though they are
// empty, or leaves out because they are; the word for what needs no word; the list of pairs for
// members that could be an object; "$schema", which is for editors.
const std::set<std::string> kOnlyRead = {
    "/properties/$schema there",
    "/properties/clauses not there",
    "/properties/parts not there",
    "/properties/comments_after empty",
    "/$defs/part/oneOf/0/properties/rules not there",
    "/$defs/part/oneOf/1/properties/lines not there",
    "/$defs/rule/oneOf/0/properties/actions not there",
    "/$defs/rule/oneOf/1/properties/actions not there",
    "/$defs/rule/oneOf/2/properties/actions not there",
    "/$defs/rule/oneOf/3/properties/actions not there",
    "/$defs/rule/oneOf/4/properties/actions not there",
    "/$defs/rule/oneOf/5/properties/actions not there",
    "/$defs/rule/oneOf/6/properties/actions not there",
    "/$defs/comments/properties/before empty",
    "/$defs/condition/oneOf/15/properties/span = \"ever\"",
    "/$defs/members/anyOf/1 empty",
};

// What the generator never makes is not tested by any round trip.
TEST(Schema, RandomTracksUseAllOfIt) {
  SchemaCoverage coverage(json::parse(track::json_schema()));
  constexpr std::uint64_t kTracks = 600;
  for (std::uint64_t seed = 1; seed <= kTracks; ++seed) {
    coverage.add(json::parse(track::to_json(random_track(seed, 16), track::JsonLayout::kCompact)));
  }
  std::vector<std::string> unused = coverage.unused();
  std::erase_if(unused, [](const std::string& branch) { return kOnlyRead.count(branch) != 0; });
  EXPECT_THAT(unused, ::testing::IsEmpty());
}

// The block of a page that begins with ```KIND.
std::string block(const std::string& page, const std::string& kind) {
  const std::size_t begin = page.find("```" + kind + "\n");
  EXPECT_NE(begin, std::string::npos) << kind;
  const std::size_t text = begin + kind.size() + 4;
  return page.substr(text, page.find("```", text) - text);
}

TEST(Schema, TheExampleOfThePageIsRight) {
  const std::string page = read_file(kSource / "docs/formats/track-json.md");
  const Parsed parsed = parse(block(page, "track"));
  ASSERT_TRUE(parsed.diagnostics.empty());
  EXPECT_EQ(format(parsed.track), block(page, "track"));
  EXPECT_EQ(json::parse(block(page, "json")), json::parse(track::to_json(parsed.track)));
  const track::TrackFromJson read = track::from_json(block(page, "json"));
  EXPECT_TRUE(read.ok() && read.track == parsed.track);
}

// A document, and whether the reader takes it.
struct Document {
  std::string text;
  bool valid = false;
  std::string problem;
};

Document judged(std::string text) {
  const track::TrackFromJson read = track::from_json(text);
  return {std::move(text), read.ok(),
          read.ok() ? "" : read.problems[0].pointer + ": " + read.problems[0].message};
}

// One place in a document.
void collect(json& value, std::vector<json*>& places) {
  places.push_back(&value);
  if (value.is_structured()) {
    for (json& child : value) {
      collect(child, places);
    }
  }
}

// Something of another type or with other contents.
json something_else(std::mt19937_64& draw) {
  static const std::vector<json> kValues = {nullptr,
                                            true,
                                            7,
                                            -0.5,
                                            "",
                                            "x y",
                                            "2 days",
                                            "09:00",
                                            "25:00",
                                            "1 hour 1 day",
                                            "is",
                                            "2026-12-01",
                                            "2026-12-01T09:00",
                                            "2026-12-01T09:00[]",
                                            std::string("a\0b", 3),
                                            "end ",
                                            json::array(),
                                            json::array({"monday", "monday"}),
                                            json::array({"monday"}),
                                            json::array({json::array({"a", 1})}),
                                            json::object(),
                                            json::object({{"field", "a.b"}}),
                                            json::object({{"field", "a..b"}}),
                                            json::object({{"now", true}}),
                                            json::object({{"now", false}}),
                                            json::object({{"duration", "1 day"}}),
                                            json::object({{"object", json::object()}})};
  return kValues[draw() % kValues.size()];
}

// Breaks one thing; sometimes what comes of it is valid all the same.
void mutate(json& document, std::mt19937_64& draw) {
  std::vector<json*> places;
  collect(document, places);
  json& at = *places[draw() % places.size()];
  if (at.is_object() && !at.empty() && draw() % 4 != 0) {
    auto member = at.begin();
    std::advance(member, static_cast<std::ptrdiff_t>(draw() % at.size()));
    const std::string name = member.key();
    json value = member.value();
    switch (draw() % 4) {
      case 0:
        at.erase(name);
        break;
      case 1:
        at.erase(name);
        at[name + "s"] = std::move(value);
        break;
      case 2:
        at["extra"] = true;
        break;
      default:
        at[name] = something_else(draw);
    }
  } else if (at.is_array() && !at.empty() && draw() % 2 == 0) {
    at.erase(draw() % at.size());
  } else {
    at = something_else(draw);
  }
}

// The verdicts of Python's jsonschema, one character for each document: "1" valid, "0" not.
std::string verdicts(const std::vector<Document>& documents) {
  std::string name = (fs::temp_directory_path() / "turnout-schema-XXXXXX").string();
  EXPECT_NE(mkdtemp(name.data()), nullptr);
  const fs::path folder = name;
  std::ofstream(folder / "schema") << track::json_schema();
  {
    std::ofstream out(folder / "documents");
    for (const Document& document : documents) {
      out << json::parse(document.text).dump() << "\n";
    }
  }
  const std::string command = "/usr/bin/python3 '" + (kSource / "tests/lang/validate.py").string() +
                              "' '" + (folder / "schema").string() + "' '" +
                              (folder / "documents").string() + "' >'" +
                              (folder / "verdicts").string() + "'";
  EXPECT_EQ(std::system(command.c_str()), 0)
      << "python3-jsonschema is needed: scripts/setup.sh test";
  std::string result = read_file(folder / "verdicts");
  fs::remove_all(folder);
  return result;
}

std::vector<Document> documents() {
  std::vector<Document> out;
  for (const fs::path& folder : {kSource / "examples", kSource / "tests/lang/tracks"}) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() == ".track") {
        out.push_back(judged(track::to_json(parse(read_file(entry.path())).track)));
      }
    }
  }
  constexpr std::uint64_t kTracks = 200;
  for (std::uint64_t seed = 1; seed <= kTracks; ++seed) {
    out.push_back(judged(track::to_json(random_track(seed, 3))));
  }
  for (const Document& document : out) {
    EXPECT_TRUE(document.valid) << document.problem;
  }
  constexpr std::uint64_t kMutants = 500;
  for (std::uint64_t seed = 1; seed <= kMutants; ++seed) {
    std::mt19937_64 draw(seed);
    json broken = json::parse(track::to_json(random_track(seed, 2)));
    mutate(broken, draw);
    out.push_back(judged(broken.dump()));
  }
  return out;
}

TEST(Schema, JudgesAsTheReaderDoes) {
  const std::vector<Document> all = documents();
  const std::string verdict = verdicts(all);
  ASSERT_EQ(verdict.size(), all.size());
  std::size_t refused = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(verdict[i] == '1', all[i].valid)
        << (all[i].valid ? "only the schema refuses this" : "only the reader refuses this: ")
        << all[i].problem << "\n"
        << all[i].text;
    refused += all[i].valid ? 0 : 1;
  }
  constexpr std::size_t kMostOfThem = 300;  // of the mutants
  EXPECT_GE(refused, kMostOfThem);
}

}  // namespace
}  // namespace turnout::lang
