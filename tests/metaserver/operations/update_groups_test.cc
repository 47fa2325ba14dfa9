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
