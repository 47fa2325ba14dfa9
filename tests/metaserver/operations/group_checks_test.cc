#include "tests/metaserver/operations/groups.h"

namespace cairn::testing {

namespace {

class GroupChecksTest : public GroupsTest {};
CAIRN_OVER_BOTH_STORES(GroupChecksTest);

TEST_P(GroupChecksTest, MembersAreKnownDistinctAndHaveAState) {
  Join("a", 1);
  Join("b", 1);
  EXPECT_EQ(Create({Group({})}), Code::kInvalidArgument);
  EXPECT_EQ(Create({Group({1, 1})}), Code::kInvalidArgument);
  EXPECT_EQ(Create({Group({1, 3})}), Code::kNotFound);
  v1::PlacementGroup group = Group({1, 2});
  group.mutable_members(0)->set_state(v1::MEMBER_NONE);
  EXPECT_EQ(Create({group}), Code::kInvalidArgument);
  group.mutable_members(0)->set_state(v1::MEMBER_ACTIVE);
  group.mutable_members(0)->set_incarnation(0);
  EXPECT_EQ(Create({group}), Code::kInvalidArgument);
  group.mutable_members(0)->set_state(v1::MEMBER_SYNCING);
  EXPECT_EQ(Create({group}), Code::kOk);
}

TEST_P(GroupChecksTest, PowerIsNotLostInAnEpochToCome) {
  Join("a", 1);
  v1::PlacementGroup group = Group({1});
  group.set_power_lost_epoch(1);
  EXPECT_EQ(Create({group}), Code::kInvalidArgument);
  EXPECT_EQ(Create({Group({1})}), Code::kOk);
  group = Group({1}, 1, 2);
  group.set_power_lost_epoch(3);
  EXPECT_EQ(Namespace::CodeOf(Update({group})), Code::kInvalidArgument);
}

}  // namespace

}  // namespace cairn::testing
