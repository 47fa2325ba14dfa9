#include "metaserver/placement/group_row.h"
#include "tests/metaserver/operations/groups.h"

namespace cairn::testing {

namespace {

class ActivateGroupsTest : public GroupsTest {
 protected:
  // Group 1 at epoch 2: server 1 is its primary, 2 leaves, 3 is active.
  void SetUp() override {
    for (const char* disk : {"a", "b", "c"}) Join(disk, 1);
    ASSERT_EQ(Create({Group({1, 2, 3}), Group({2, 3, 1})}), Code::kOk);
    v1::PlacementGroup next = Group({1, 2, 3}, 1, 2);
    MakeInactive(*next.mutable_members(1), v1::MEMBER_LEAVING);
    ASSERT_EQ(Namespace::CodeOf(Update({next})), Code::kOk);
    ASSERT_FALSE(IsActivated(Stored(1)));
  }
  Code Activate(std::initializer_list<std::pair<uint32_t, uint64_t>> groups) {
    v1::Command command;
    for (const auto& [group, epoch] : groups) {
      auto& named = *command.mutable_activate_groups()->add_groups();
      named.set_group(group);
      named.set_epoch(epoch);
    }
    return fs_.Run(command);
  }
};
CAIRN_OVER_BOTH_STORES(ActivateGroupsTest);

class RuleC3ActivateGroups : public ActivateGroupsTest {};
CAIRN_OVER_BOTH_STORES(RuleC3ActivateGroups);

TEST_P(RuleC3ActivateGroups, TheRowSaysWhoWasActiveWhenTheEpochBeganToCount) {
  const uint64_t version = fs_.State().map_version();
  ASSERT_EQ(Activate({{1, 2}}), Code::kOk);
  const v1::PlacementGroup group = Stored(1);
  EXPECT_EQ(group.epoch(), 2u);
  EXPECT_EQ(group.activated_epoch(), 2u);
  ASSERT_EQ(group.activated_size(), 2);
  EXPECT_EQ(group.activated(0).server(), 1u);
  EXPECT_EQ(group.activated(1).server(), 3u);
  EXPECT_EQ(group.members_size(), 2);
  EXPECT_EQ(fs_.State().map_version(), version + 1);
  EXPECT_EQ(group.changed_at(), version + 1);
}

TEST_P(RuleC3ActivateGroups, AGroupThatHasMovedOnIsLeftAlone) {
  const uint64_t version = fs_.State().map_version();
  EXPECT_EQ(Activate({{1, 1}}), Code::kOk);
  EXPECT_EQ(Activate({{1, 3}}), Code::kOk);
  EXPECT_FALSE(IsActivated(Stored(1)));
  EXPECT_EQ(fs_.State().map_version(), version);
}

TEST_P(ActivateGroupsTest, AskingAgainIsOkAndChangesNothing) {
  ASSERT_EQ(Activate({{1, 2}}), Code::kOk);
  const uint64_t version = fs_.State().map_version();
  const std::string row = Stored(1).SerializeAsString();
  EXPECT_EQ(Activate({{1, 2}}), Code::kOk);
  EXPECT_EQ(fs_.State().map_version(), version);
  EXPECT_EQ(Stored(1).SerializeAsString(), row);
}

TEST_P(ActivateGroupsTest, GroupsOfOneCommandChangeInOneMapVersion) {
  v1::PlacementGroup next = Group({2, 3, 1}, 2, 2);
  MakeInactive(*next.mutable_members(2), v1::MEMBER_LEAVING);
  ASSERT_EQ(Namespace::CodeOf(Update({next})), Code::kOk);
  const uint64_t version = fs_.State().map_version();
  ASSERT_EQ(Activate({{1, 2}, {2, 2}}), Code::kOk);
  EXPECT_EQ(fs_.State().map_version(), version + 1);
  EXPECT_EQ(Stored(1).changed_at(), version + 1);
  EXPECT_EQ(Stored(2).changed_at(), version + 1);
}

TEST_P(ActivateGroupsTest, AnUnknownGroupTakesAllOfTheCommandBack) {
  EXPECT_EQ(Activate({{1, 2}, {9, 1}}), Code::kNotFound);
  EXPECT_FALSE(IsActivated(Stored(1)));
}

}  // namespace

}  // namespace cairn::testing
