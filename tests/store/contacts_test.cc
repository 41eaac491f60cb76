// Fields, imports, gathering, the feed of changes.

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "store/suite.h"

namespace turnout::store::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using Row = std::vector<std::string>;

class ContactsTest : public StoreTest {};
TURNOUT_STORE_SUITE(ContactsTest);

// -- Fields
// --------------------------------------------------------------------------------------------------------------

TEST_P(ContactsTest, DeclaredFieldsAreInTheCatalogueAfterTheBuiltInOnes) {
  const track::Catalogue catalogue = must(session().catalogue());
  std::vector<std::string> names;
  for (const track::Field& field : catalogue.fields) {
    names.push_back(field.name + ":" + track::type_name(field.type) + ":" + field.column);
  }
  EXPECT_THAT(
      names,
      ElementsAre("key:text:key", "email:text:email", "created_at:timestamp:created_at",
                  "updated_at:timestamp:updated_at", "active:boolean:active", "born:date:born",
                  "plan:text:plan", "score:number:score", "since:timestamp:since"));
}

TEST_P(ContactsTest, AFieldThatIsThereIsLeftAsItIs) {
  must(session().declare_fields({kScore}));
  EXPECT_THAT(must(session().catalogue()).fields, SizeIs(9));
}

TEST_P(ContactsTest, FieldsThatCannotBeAreRefusedWhole) {
  const auto refused = [&](const std::string& name, track::Type type) {
    const auto result =
        session().declare_fields({{"fine", track::Type::kText, ""}, {name, type, ""}});
    EXPECT_FALSE(result) << name;
    EXPECT_THAT(must(session().catalogue()).fields, SizeIs(9)) << name;
    return result ? base::ErrorCode::kInternal : result.error().code;
  };
  EXPECT_EQ(base::ErrorCode::kConflict, refused("score", track::Type::kText));
  EXPECT_EQ(base::ErrorCode::kConflict, refused("Score", track::Type::kNumber));
  EXPECT_EQ(base::ErrorCode::kConflict, refused("Fine", track::Type::kText));
  for (const char* name :
       {"id", "key", "email", "EMAIL", "created_at", "updated_at", "merged_into", "extra", "ctid",
        "xmin", "rowid", "oid", "", "1st", "a b", "a.b", "a-b", "x\"; drop table contact; --"}) {
    EXPECT_EQ(base::ErrorCode::kInvalid, refused(name, track::Type::kText));
  }
  EXPECT_EQ(base::ErrorCode::kInvalid, refused(std::string(64, 'x'), track::Type::kText));
}

TEST_P(ContactsTest, WordsOfSqlAreFineAsFields) {
  std::vector<track::Field> odd;
  for (const char* name : {"order", "Group", "select", "default", "user", "value", "_x"}) {
    odd.push_back({name, track::Type::kText, base::to_lower_ascii(name)});
  }
  odd.push_back({std::string(63, 'x'), track::Type::kText, std::string(63, 'x')});
  must(session().declare_fields(odd));
  std::vector<track::Value> values;
  for (const track::Field& field : odd) {
    values.emplace_back("v " + field.name);
  }
  EXPECT_EQ(1, must(session().import_contacts(make_batch({"k"}, odd, {values}))).inserted);
  const track::ContactBlock block = must(session().load_contacts({}, 10, {odd, {}}));
  ASSERT_EQ(1U, block.rows());
  for (std::size_t i = 0; i < odd.size(); ++i) {
    EXPECT_EQ(values[i], block.columns[i].at(0));
  }
}

// Another session that had prepared its statements before the column came.
TEST_P(ContactsTest, OtherSessionsReadAFieldThatIsDeclaredMeanwhile) {
  import(2);
  const auto other = must(store().open_session());
  EXPECT_EQ(2U, must(other->load_contacts({}, 10, {{kScore}, {}})).rows());
  const track::Field late{"late", track::Type::kNumber, "late"};
  must(session().declare_fields({late}));
  EXPECT_EQ(1, must(other->import_contacts(make_batch({"k1"}, {late}, {{4.0}}))).updated);
  const track::ContactBlock block = must(other->load_contacts({}, 10, {{kScore, late}, {}}));
  EXPECT_EQ(track::Value(4.0), block.columns[1].at(0));
  EXPECT_EQ(track::Value(track::Missing{}), block.columns[1].at(1));
}

// -- Imports
// ---------------------------------------------------------------------------------------------------------------

TEST_P(ContactsTest, AnImportInsertsUpdatesAndLeavesAlone) {
  ImportResult result = must(session().import_contacts(make_batch(
      {"a", "b", "c"}, {kScore, kEmail},
      {{1.0, std::string("a@x")}, {2.0, track::Missing{}}, {track::Missing{}, track::Missing{}}})));
  EXPECT_EQ(3, result.inserted);
  EXPECT_EQ(0, result.updated + result.unchanged);
  result = must(session().import_contacts(make_batch({"c", "a", "b", "d"}, {kScore, kEmail},
                                                     {{track::Missing{}, track::Missing{}},
                                                      {1.0, std::string("A@x")},
                                                      {track::Missing{}, track::Missing{}},
                                                      {4.0, std::string("")}})));
  EXPECT_EQ(1, result.inserted);
  EXPECT_EQ(2, result.updated);
  EXPECT_EQ(1, result.unchanged);
  Dump dump = database().dump(Times::kNormal);
  EXPECT_THAT(dump.tables["change"],
              ElementsAre(Row{"a", "", "changed", "email"}, Row{"a", "", "created", "email score"},
                          Row{"b", "", "changed", "score"}, Row{"b", "", "created", "score"},
                          Row{"c", "", "created", ""}, Row{"d", "", "created", "email score"}));
  const track::ContactBlock block = must(session().load_contacts({}, 10, {{kScore, kEmail}, {}}));
  ASSERT_EQ(4U, block.rows());
  EXPECT_EQ(track::Value(std::string("A@x")), block.columns[1].at(0));
  EXPECT_EQ(track::Value(track::Missing{}), block.columns[0].at(1));
  EXPECT_EQ(track::Value(std::string("")), block.columns[1].at(3))
      << "an empty text is not missing";
}

TEST_P(ContactsTest, OfRowsWithOneKeyTheLastCounts) {
  const ImportResult result = must(session().import_contacts(
      make_batch({"a", "b", "a", "a"}, {kScore}, {{1.0}, {2.0}, {3.0}, {4.0}})));
  EXPECT_EQ(2, result.inserted);
  EXPECT_EQ(0, result.updated + result.unchanged);
  for (const auto& [key, score] : {std::pair("a", 4.0), std::pair("b", 2.0)}) {
    const track::ContactBlock block = must(session().load_these({id(key)}, {{kScore}, {}}));
    EXPECT_EQ(track::Value(score), block.columns[0].at(0)) << key;
  }
}

TEST_P(ContactsTest, BatchesThatCannotBeAreRefusedWhole) {
  const auto refused = [&](const ContactBatch& batch) {
    const auto result = session().import_contacts(batch);
    ASSERT_FALSE(result);
    EXPECT_EQ(base::ErrorCode::kInvalid, result.error().code) << result.error().message;
    EXPECT_EQ(0U, must(session().load_contacts({}, 10, {{}, {}})).rows());
  };
  refused(make_batch({"a", ""}, {kScore}, {{1.0}, {2.0}}));
  refused(make_batch({"a", std::string("b\0c", 3)}, {kScore}, {{1.0}, {2.0}}));
  refused(make_batch({"a", "b\xff"}, {kScore}, {{1.0}, {2.0}}));
  refused(make_batch({"a"}, {kPlan}, {{std::string("x\xc3")}}));
  refused(make_batch({"a"}, {{"created_at", track::Type::kTimestamp, "created_at"}}, {{kLongAgo}}));
  std::vector<std::string> keys;
  for (int i = 0; i < 5001; ++i) {
    keys.push_back(std::to_string(i));
  }
  refused(make_batch(keys, {}, std::vector<std::vector<track::Value>>(5001)));
  keys.pop_back();
  EXPECT_EQ(5000, must(session().import_contacts(
                           make_batch(keys, {}, std::vector<std::vector<track::Value>>(5000))))
                      .inserted);
}

TEST_P(ContactsTest, ContactsAreReadInPiecesAndByList) {
  import(10);
  std::vector<double> scores;
  base::ContactId after;
  for (;;) {
    const track::ContactBlock block = must(session().load_contacts(after, 3, {{kScore}, {}}));
    if (block.rows() == 0) {
      break;
    }
    EXPECT_LE(block.rows(), 3U);
    scores.insert(scores.end(), block.columns[0].number.begin(), block.columns[0].number.end());
    after = block.contact.back();
  }
  std::sort(scores.begin(), scores.end());
  EXPECT_THAT(scores, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  const track::ContactBlock block =
      must(session().load_these({id("k7"), base::ContactId(999), id("k2")}, {{kScore}, {}}));
  EXPECT_THAT(block.columns[0].number, UnorderedElementsAre(7, 2));
}

// -- Gathering
// -------------------------------------------------------------------------------------------------------------

TEST_P(ContactsTest, GatheringEntersEachContactOnce) {
  import(25);
  std::int64_t gathered = 0;
  base::ContactId after;
  for (bool done = false; !done;) {
    const GatherResult result =
        must(session().gather(fence(), {base::Version(1), 1}, "", {}, after, 10));
    EXPECT_LE(result.gathered, 10);
    gathered += result.gathered;
    after = result.last;
    done = result.done;
  }
  EXPECT_EQ(25, gathered);
  const GatherResult again =
      must(session().gather(fence(), {base::Version(1), 1}, "", {}, {}, 20'000));
  EXPECT_EQ(0, again.gathered);
  EXPECT_TRUE(again.done);
  EXPECT_EQ(
      0, must(session().gather_these(fence(), {base::Version(1), 1}, "", {}, {id("k1")})).gathered);
  EXPECT_EQ(25, must(session().progress("T")).gathered);
  EXPECT_EQ(25, must(session().report("T")).waiting.at("A"));
}

TEST_P(ContactsTest, WhoHasStoppedIsNotGatheredAgain) {
  import(1);
  gather();
  const track::ContactBlock block = load_due();
  commit(block, outcome_of(block, fields(), [](std::size_t) {
           Way way;
           way.path = {1, 0, 7};
           way.state = track::PositionState::kStopped;
           return way;
         }));
  EXPECT_EQ(0, must(session().gather(fence(), {base::Version(1), 1}, "", {}, {}, 20'000)).gathered);
  EXPECT_EQ(
      0, must(session().gather_these(fence(), {base::Version(1), 1}, "", {}, {id("k1")})).gathered);
}

TEST_P(ContactsTest, WhoStoppedLongEnoughAgoComesAgainWhereTheEntranceSaysSo) {
  import(3);
  gather();
  const track::ContactBlock block = load_due();
  const auto stopped = [](std::int64_t s) {
    return base::Instant{kLongAgo.us + s * base::kUsPerSecond};
  };
  // k1 and k2 have stopped, a second apart; k3 is on the track.
  commit(block, outcome_of(block, fields(), [&](std::size_t row) {
           Way way;
           way.path = {1, 0, row == 2 ? 2 : 7};
           way.state = row == 2 ? track::PositionState::kOpen : track::PositionState::kStopped;
           way.step_at = stopped(static_cast<std::int64_t>(row));
           return way;
         }));
  const auto gathered = [&](std::int64_t by) {
    return must(session().gather(fence(), {base::Version(1), 2, stopped(by)}, "", {}, {}, 20'000))
        .gathered;
  };
  EXPECT_EQ(0, gathered(-1));
  EXPECT_EQ(1, gathered(0));
  EXPECT_EQ(0, gathered(0)) << "it is on the track now";
  const GatherResult these = must(session().gather_these(fence(), {base::Version(1), 2, stopped(1)},
                                                         "", {}, {id("k1"), id("k2"), id("k3")}));
  EXPECT_EQ(1, these.gathered);
  const track::ContactBlock again = load_due();
  EXPECT_THAT(again.contact, ElementsAre(id("k1"), id("k2")));
  EXPECT_THAT(again.entry, ElementsAre(2, 2));
  EXPECT_THAT(again.step, ElementsAre(2, 2));
  EXPECT_THAT(again.move_no, ElementsAre(0, 0));
  commit(again, all_to(again, 3));
  EXPECT_EQ(2, must(session().report("T")).waiting.at("C"));
  EXPECT_EQ(5, must(session().progress("T")).gathered);
}

TEST_P(ContactsTest, GatheringTheseTakesThoseOnly) {
  import(5);
  const GatherResult result =
      must(session().gather_these(fence(), {base::Version(1), 2}, "", {},
                                  {id("k4"), id("k2"), base::ContactId(999), id("k4")}));
  EXPECT_EQ(2, result.gathered);
  EXPECT_EQ(2, must(session().report("T")).waiting.at("B"));
}

TEST_P(ContactsTest, GatheringByAConditionBindsItsValues) {
  if (GetParam() == Kind::kModel) {
    GTEST_SKIP() << "the model knows no SQL";
  }
  import(20);
  const ConditionStyle style = session().condition_style();
  const auto parameter = [&](int i) {
    return (style.postgres ? "$" : "?") + std::to_string(style.first_parameter + i);
  };
  const std::string where = "c.score >= " + parameter(0) + " and c.score < " + parameter(1);
  GatherResult result =
      must(session().gather(fence(), {base::Version(1), 1}, where, {5.0, 8.0}, {}, 20'000));
  EXPECT_EQ(3, result.gathered);
  EXPECT_TRUE(result.done);
  const std::string other = "c.score = " + parameter(0) + " or c.score = " + parameter(1);
  result = must(session().gather_these(fence(), {base::Version(1), 1}, other, {7.0, 9.0},
                                       {id("k7"), id("k9"), id("k10")}));
  EXPECT_EQ(1, result.gathered);
  EXPECT_EQ(4U, load_due().rows());
}

TEST_P(ContactsTest, DueIsReadInOrderAndInPieces) {
  import(30);
  gather();
  const track::ContactBlock block = load_due();
  commit(block, outcome_of(block, fields(), [&](std::size_t row) {
           Way way;
           way.path = {1, 0, 2};
           // Three times ten contacts at one instant, and the last three in the future.
           way.due =
               row < 27 ? base::Instant{kLongAgo.us + static_cast<std::int64_t>(row % 3)} : kFarOff;
           return way;
         }));
  EXPECT_EQ(kLongAgo, must(session().next_due(track())));
  std::vector<DueItem> all;
  DueCursor cursor;
  for (;;) {
    const std::vector<DueItem> some =
        must(session().due(track(), cursor, must(session().now()), 4));
    if (some.empty()) {
      break;
    }
    all.insert(all.end(), some.begin(), some.end());
    cursor = {some.back().due, some.back().contact, some.back().entry};
  }
  EXPECT_EQ(27U, all.size());
  for (std::size_t i = 1; i < all.size(); ++i) {
    EXPECT_LT(std::pair(all[i - 1].due, all[i - 1].contact), std::pair(all[i].due, all[i].contact));
    EXPECT_EQ(1, all[i].move_no);
  }
  EXPECT_THAT(must(session().due(track(), cursor, kFarOff, 100)), SizeIs(3));
  EXPECT_THAT(must(session().due(base::TrackId(99), {}, kFarOff, 100)), IsEmpty());
  EXPECT_EQ(track::kNever, must(session().next_due(base::TrackId(99))));
}

// -- The feed
// --------------------------------------------------------------------------------------------------------------

TEST_P(ContactsTest, TheFeedGivesEveryChangeOnceInPieces) {
  import(3);
  FeedBatch batch = must(session().changes({}, 100));
  EXPECT_THAT(batch.changes, IsEmpty()) << "an empty cursor means from now on";
  EXPECT_FALSE(batch.lost);
  gather();
  must(session().import_contacts(make_batch({"k1", "k4"}, {kScore}, {{7.0}, {8.0}})));
  must(session().import_contacts(
      make_batch({"k1", "k2"}, {kPlan}, {{std::string("pro")}, {std::string("pro")}})));
  const track::ContactBlock block = load_due();
  commit(block, outcome_of(block, fields(), [&](std::size_t) {
           Way way;
           way.path = {1, 0, 2};
           way.tags = {{"seen", true}};
           return way;
         }));
  std::multiset<std::string> told;
  for (int i = 0; i < 100; ++i) {
    batch = must(session().changes(batch.next, 2));
    EXPECT_FALSE(batch.lost);
    for (const Change& change : batch.changes) {
      std::string text = key_of(change.contact) + (change.created ? " new" : "") +
                         (change.by.get() != 0 ? " T" : "");
      for (const std::string& field : change.fields) {
        text += " " + field;
      }
      for (const std::string& tag : change.tags) {
        text += " #" + tag;
      }
      told.insert(text);
    }
    if (!batch.more) {
      break;
    }
  }
  EXPECT_THAT(told, UnorderedElementsAre("k1 score", "k4 new score", "k1 plan", "k2 plan",
                                         "k1 T #seen", "k2 T #seen", "k3 T #seen"));
  EXPECT_THAT(must(session().changes(batch.next, 100)).changes, IsEmpty());
}

TEST_P(ContactsTest, ACursorThatMeansNothingHereHasLostItsPlace) {
  import(1);
  for (const char* text : {"other:1", "garbage", ":"}) {
    const FeedBatch batch = must(session().changes({text}, 10));
    EXPECT_TRUE(batch.lost) << text;
    EXPECT_THAT(batch.changes, IsEmpty());
    must(session().import_contacts(make_batch({std::string("x") + text}, {kScore}, {{1.0}})));
    EXPECT_THAT(must(session().changes(batch.next, 10)).changes, SizeIs(1))
        << "it goes on from there";
  }
}

}  // namespace
}  // namespace turnout::store::test
