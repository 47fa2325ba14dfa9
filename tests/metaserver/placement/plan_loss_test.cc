#include "metaserver/placement/plan_loss.h"

#include <gtest/gtest.h>

#include <string>

#include "metaserver/placement/group_row.h"

namespace cairn {
namespace {

// "A" active, "s" syncing, "l" leaving: members 1, 2, ... of an activated epoch.
v1::PlacementGroup Group(const std::string& states) {
  v1::PlacementGroup group;
  group.set_id(1);
  group.set_epoch(7);
  for (size_t i = 0; i < states.size(); ++i) {
    v1::Member& member = *group.add_members();
    member.set_server(static_cast<uint32_t>(i + 1));
    member.set_state(states[i] == 'A'   ? v1::MEMBER_ACTIVE
                     : states[i] == 's' ? v1::MEMBER_SYNCING
                                        : v1::MEMBER_LEAVING);
  }
  group.set_activated_epoch(7);
  for (const v1::Member& member : group.members()) {
    if (member.state() == v1::MEMBER_ACTIVE) *group.add_activated() = member;
  }
  return group;
}

LossPlan Plan(const v1::PlacementGroup& group, uint32_t gone) {
  return PlanLoss(group, ServerId(gone)).value();
}

using RuleC3PlanLoss = ::testing::Test;

TEST(PlanLossTest, AGroupThatDoesNotNameTheServerIsLeftAlone) {
  EXPECT_FALSE(PlanLoss(Group("AA"), ServerId(3)).has_value());
}

TEST(PlanLossTest, WithAnotherActiveMemberNothingIsLost) {
  for (const char* states : {"AAs", "As", "Al"}) {
    const LossPlan plan = Plan(Group(states), 2);
    EXPECT_EQ(plan.loss, GroupLoss::kNone) << states;
    EXPECT_EQ(FindMember(plan.next, ServerId(2)), nullptr);
    EXPECT_EQ(plan.next.epoch(), 8u);
    EXPECT_FALSE(plan.next.lost());
  }
}

TEST_F(RuleC3PlanLoss, WithNobodyLeftWhoHadEverythingTheGroupIsLostAndKeepsItsOldCopies) {
  const LossPlan plan = Plan(Group("As"), 1);
  EXPECT_EQ(plan.loss, GroupLoss::kLost);
  EXPECT_TRUE(plan.next.lost());
  EXPECT_EQ(plan.next.members_size(), 1);
  EXPECT_TRUE(plan.next.activated().empty());
}

// Both were active last and both are back with power lost, or not yet back: the other one decides.
TEST_F(RuleC3PlanLoss, WhileAnotherOfTheLastActivatedEpochMayComeBackItIsOnlyDoubted) {
  v1::PlacementGroup group = Group("AA");
  for (v1::Member& member : *group.mutable_members()) MakeInactive(member, v1::MEMBER_SYNCING);
  group.set_epoch(8);
  LossPlan plan = Plan(group, 1);
  EXPECT_EQ(plan.loss, GroupLoss::kDoubted);
  EXPECT_FALSE(plan.next.lost());
  ASSERT_EQ(plan.next.activated_size(), 1);
  EXPECT_EQ(plan.next.activated(0).server(), 2u);
  plan = Plan(plan.next, 2);
  EXPECT_EQ(plan.loss, GroupLoss::kLost);
}

TEST_F(RuleC3PlanLoss, ALostGroupStaysLost) {
  const v1::PlacementGroup lost = Plan(Group("Ass"), 1).next;
  const LossPlan again = Plan(lost, 2);
  EXPECT_TRUE(again.next.lost());
  EXPECT_EQ(again.loss, GroupLoss::kNone);
  v1::PlacementGroup next = lost;
  next.set_lost(false);
  BeginEpoch(lost, next);
  EXPECT_TRUE(next.lost());
}

}  // namespace
}  // namespace cairn
