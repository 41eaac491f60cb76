#include "samples.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace turnout::lang {

std::string read_file(const std::filesystem::path& path) {
  const std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

track::Catalogue sample_catalogue() {
  using track::Type;
  track::Catalogue c = track::built_in_catalogue();
  c.fields.insert(c.fields.end(), {{"plan", Type::kText, "plan"},
                                   {"signed_up_at", Type::kTimestamp, "signed_up_at"},
                                   {"timezone", Type::kText, "timezone"},
                                   {"opted_out", Type::kBoolean, "opted_out"},
                                   {"stage", Type::kText, "stage"},
                                   {"score", Type::kNumber, "score"},
                                   {"country", Type::kText, "country"}});
  c.templates = {"welcome",        "nudge-soft",     "nudge-hard", "dunning",
                 "dunning-urgent", "dunning-second", "local",      "tips"};
  c.webhooks = {"sales", "support"};
  c.databases = {"crm", "billing"};
  c.tracks = {"Sales follow-up"};
  return c;
}

}  // namespace turnout::lang
