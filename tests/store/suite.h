#pragma once

// What the tests of the suite share: a store of each kind with a few contacts on one published
// track, owned by peer "p".

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "store/database.h"
#include "store/plans.h"
#include "store/store.h"

namespace turnout::store::test {

// The value, or a failure of the test (and an abort, since nothing after it would make sense).
template <class T>
T must(base::Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().message;
  }
  return std::move(result).value();
}
inline void must(base::Result<void> result) {
  if (!result) {
    ADD_FAILURE() << result.error().message;
  }
}

class StoreTest : public testing::TestWithParam<Kind> {
 protected:
  // Fields score, plan, active, since and born; track "T" with the steps A (1), B (2) and C (3),
  // then "completed" (4), "hello" (5), "hook" (6) and "done" (7).
  void SetUp() override;
  void TearDown() override;

  TestDatabase& database() { return *database_; }
  Store& store() { return database_->store(); }
  Session& session() { return *session_; }
  GroupSession& group() { return *group_; }
  base::TrackId track() const { return track_; }
  const Fence& fence() const { return fence_; }
  const PeerId& self() const { return self_; }
  std::vector<track::Field> fields() const { return {kScore, kPlan, kActive, kSince, kBorn}; }

  // Contacts k1 … kN with score = their number, and on the track.
  void import(int contacts);
  void gather();
  base::ContactId id(const std::string& key);
  std::string key_of(base::ContactId id);
  // Takes the row again as it stands, so that fence() holds.
  void take_track();
  // The track's positions that are due, in contact order, with all fields and these tags.
  track::ContactBlock load_due(const std::vector<std::string>& tags = {}, int limit = 10'000);
  CommitResult commit(const track::ContactBlock& before, const track::BlockOutcome& after);
  CommitResult commit(const Fence& fence, const track::ContactBlock& before,
                      const track::BlockOutcome& after);
  // Every row from its step by rule 0 to `step`, waiting for nothing.
  track::BlockOutcome all_to(const track::ContactBlock& block, std::int32_t step);

 private:
  std::unique_ptr<TestDatabase> database_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<GroupSession> group_;
  PeerId self_;
  base::TrackId track_;
  Fence fence_;
  std::vector<track::Field> fields_;
};

#define TURNOUT_STORE_SUITE(Name)         \
  INSTANTIATE_TEST_SUITE_P(               \
      , Name, testing::ValuesIn(kinds()), \
      [](const testing::TestParamInfo<Kind>& kind) { return kind_name(kind.param); })

}  // namespace turnout::store::test
