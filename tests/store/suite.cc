#include "store/suite.h"

#include <algorithm>

namespace turnout::store::test {

void StoreTest::SetUp() {
  database_ = TestDatabase::make(GetParam());
  session_ = must(store().open_session());
  group_ = must(store().open_group_session());
  fields_ = fields();
  must(session().declare_fields(fields_));
  self_.name = base::PeerName("p");
  self_.incarnation = must(group().begin_life(self_.name, "127.0.0.1:1"));
  track_ = must(session().publish(make_publish("T", {"A", "B", "C"}, "one"))).id;
  take_track();
}

void StoreTest::TearDown() {
  if (database_ != nullptr) {
    check_invariants(*database_);
  }
}

void StoreTest::import(int contacts) {
  std::vector<std::string> keys;
  std::vector<std::vector<track::Value>> rows;
  for (int i = 1; i <= contacts; ++i) {
    keys.push_back("k" + std::to_string(i));
    rows.push_back({static_cast<double>(i)});
  }
  must(session().import_contacts(make_batch(keys, {kScore}, rows)));
}

void StoreTest::gather() {
  base::ContactId after;
  for (bool done = false; !done;) {
    const GatherResult result =
        must(session().gather(fence_, {base::Version(1), 1}, "", {}, after, 20'000));
    ASSERT_FALSE(result.fenced);
    after = result.last;
    done = result.done;
  }
}

base::ContactId StoreTest::id(const std::string& key) { return must(session().why(key)).id; }

std::string StoreTest::key_of(base::ContactId contact) {
  const track::ContactBlock block =
      must(session().load_these({contact}, {{{"key", track::Type::kText, "key"}}, {}}));
  return block.rows() == 1 ? std::string(block.columns[0].text[0]) : "";
}

void StoreTest::take_track() {
  for (const LedgerRow& row : must(group().ledger())) {
    if (row.track == track_) {
      const TakeResult taken = must(group().take(track_, row.timeline, row.epoch, self_, {}));
      EXPECT_TRUE(taken.taken);
      fence_ = {track_, taken.row.timeline, taken.row.epoch};
    }
  }
}

track::ContactBlock StoreTest::load_due(const std::vector<std::string>& tags, int limit) {
  std::vector<BlockItem> items;
  for (const DueItem& item : must(session().due(track_, {}, must(session().now()), limit))) {
    items.push_back({item.contact, item.entry, item.move_no});
  }
  std::sort(items.begin(), items.end(),
            [](const BlockItem& a, const BlockItem& b) { return a.contact < b.contact; });
  track::ContactBlock block;
  must(session().load(track_, items, {fields_, tags}, block));
  return block;
}

CommitResult StoreTest::commit(const track::ContactBlock& before,
                               const track::BlockOutcome& after) {
  return commit(fence_, before, after);
}

CommitResult StoreTest::commit(const Fence& fence, const track::ContactBlock& before,
                               const track::BlockOutcome& after) {
  Commit commit;
  commit.fence = fence;
  commit.version = base::Version(1);
  commit.peer = self_;
  commit.connection = 1;
  commit.fields = &fields_;
  commit.before = &before;
  commit.after = &after;
  return must(session().commit(commit));
}

track::BlockOutcome StoreTest::all_to(const track::ContactBlock& block, std::int32_t step) {
  return outcome_of(block, fields_, [&](std::size_t row) {
    Way way;
    way.path = {block.step[row], 0, step};
    return way;
  });
}

}  // namespace turnout::store::test
