#include "tests/metaserver/operations/groups.h"

namespace cairn::testing {

namespace {

class UpdateGroupsTest : public GroupsTest {};
CAIRN_OVER_BOTH_STORES(UpdateGroupsTest);

TEST_P(UpdateGroupsTest, OnlyTheNextEpochReplacesAGroup) {
  Join("a", 1);
  Join("b", 1);
  Create({Group({1, 2}), Group({2, 1})});
  const uint64_t version = fs_.State().map_version();
  v1::Outcome outcome = Update({Group({2}, 1, 2), Group({2}, 2, 5)});
  ASSERT_EQ(outcome.conflicts_size(), 1);
  EXPECT_EQ(outcome.conflicts(0).id(), 2u);
  EXPECT_EQ(outcome.conflicts(0).epoch(), 1u);
  EXPECT_EQ(Stored(1).epoch(), 2u);
  EXPECT_EQ(Stored(1).pool(), 1u);
  EXPECT_EQ(Stored(1).changed_at(), version + 1);
  EXPECT_EQ(Stored(2).members_size(), 2);
  EXPECT_EQ(Update({Group({1}, 1, 2)}).conflicts_size(), 1);  // the plan came too late
  EXPECT_EQ(fs_.State().map_version(), version + 1);
  EXPECT_EQ(Namespace::CodeOf(Update({Group({1}, 9, 2)})), Code::kNotFound);
}

// A primary has its epoch activated, and serves, while a plan that knows nothing of it is on its
// way.
TEST_P(UpdateGroupsTest, RuleC3APlanDoesNotUndoAnActivationItHasNotSeen) {
  Join("a", 1);
  Join("b", 1);
  Create({Group({1, 2})});
  Update({Group({2}, 1, 2)});
  const v1::PlacementGroup seen = Stored(1);
  ASSERT_EQ(seen.activated_epoch(), 1u);
  v1::Command activate;
  activate.mutable_activate_groups()->add_groups()->set_group(1);
  activate.mutable_activate_groups()->mutable_groups(0)->set_epoch(2);
  ASSERT_EQ(fs_.Run(activate), Code::kOk);
  v1::PlacementGroup planned = seen;
  planned.set_epoch(3);
  planned.mutable_members(0)->set_state(v1::MEMBER_SYNCING);
  planned.mutable_members(0)->set_incarnation(0);
  ASSERT_EQ(Update({planned}).conflicts_size(), 0);
  EXPECT_EQ(Stored(1).activated_epoch(), 2u);
  ASSERT_EQ(Stored(1).activated_size(), 1);
  EXPECT_EQ(Stored(1).activated(0).server(), 2u);
}

TEST_P(UpdateGroupsTest, RuleC3ALossOfPowerOutlivesPlansThatDoNotKnowOfIt) {
  Join("a", 1);
  Join("b", 1);
  Create({Group({1, 2})});
  v1::PlacementGroup restarted = Group({1}, 1, 2);
  restarted.set_power_lost_epoch(2);
  ASSERT_EQ(Update({restarted}).conflicts_size(), 0);
  EXPECT_EQ(Stored(1).power_lost_epoch(), 2u);
  ASSERT_EQ(Update({Group({1, 2}, 1, 3)}).conflicts_size(), 0);
  EXPECT_EQ(Stored(1).epoch(), 3u);
  EXPECT_EQ(Stored(1).power_lost_epoch(), 2u);
}

TEST_P(UpdateGroupsTest, OneBadGroupLeavesAllAsTheyWere) {
  Join("a", 1);
  Join("b", 1);
  Create({Group({1, 2}), Group({2, 1})});
  const AllRows before = RowsOf(fs_.store());
  EXPECT_EQ(Namespace::CodeOf(Update({Group({2}, 1, 2), Group({1}, 9, 2)})), Code::kNotFound);
  EXPECT_EQ(RowsOf(fs_.store()), before);
}

}  // namespace

}  // namespace cairn::testing
