#include "track/sql_text.h"

#include <gtest/gtest.h>

namespace turnout::track {
namespace {

std::vector<std::string> names(std::string_view sql) {
  std::vector<std::string> found;
  for (const BoundName& bound : bound_names(sql)) {
    EXPECT_EQ(':' + bound.name, sql.substr(bound.begin, bound.end - bound.begin));
    found.push_back(bound.name);
  }
  return found;
}
using Names = std::vector<std::string>;

TEST(SqlText, BoundNamesStandOutsideQuotesCommentsAndCasts) {
  EXPECT_EQ(names("update lead set state = :state where email = :email or mail=:email"),
            (Names{"state", "email", "email"}));
  EXPECT_EQ(names("where no = :row.invoice_no. and a = (:entry.x)"),
            (Names{"row.invoice_no", "entry.x"}));
  EXPECT_EQ(names("select ':a', \":b\", 'it''s :c', :d -- :e\n, :f /* :g\n */, x::text, :h::date"),
            (Names{"d", "f", "h"}));
  EXPECT_EQ(names("select $$ :a $$, $q$ :b $$ :c $q$, $1, :d, a$b:e"), (Names{"d", "e"}));
  EXPECT_EQ(names("12:30 a[1:2] : :1 :"), Names{});
  EXPECT_EQ(names("'open :a"), Names{});
  EXPECT_EQ(names("/* open :a"), Names{});
  EXPECT_EQ(names(":_x9.y"), Names{"_x9.y"});
  EXPECT_EQ(names(""), Names{});
}

}  // namespace
}  // namespace turnout::track
