#include "metaserver/placement/group_row.h"

#include <gtest/gtest.h>

namespace cairn {
namespace {

using Presence = ServerView::Presence;

// A group of active members at epoch 1, which is activated; incarnations are 10.
v1::PlacementGroup ActivatedGroup(std::initializer_list<uint32_t> servers) {
  v1::PlacementGroup group;
  group.set_epoch(1);
  for (const uint32_t server : servers) {
    v1::Member& member = *group.add_members();
    member.set_server(server);
    MakeActive(member, {Presence::kAlive, Incarnation(10), "boot"});
  }
  Activate(group);
  return group;
}

TEST(GroupRow, ThePrimaryIsTheFirstActiveMember) {
  v1::PlacementGroup group = ActivatedGroup({1, 2});
  EXPECT_EQ(PrimaryOf(group)->server(), 1u);
  MakeInactive(*group.mutable_members(0), v1::MEMBER_LEAVING);
  EXPECT_EQ(PrimaryOf(group)->server(), 2u);
  MakeInactive(*group.mutable_members(1), v1::MEMBER_SYNCING);
  EXPECT_EQ(PrimaryOf(group), nullptr);
  EXPECT_EQ(FindMember(group, ServerId(2))->server(), 2u);
  EXPECT_EQ(FindMember(group, ServerId(3)), nullptr);
}

TEST(RuleC2GroupRow, OnlyTheProcessThatBecameActiveMayServe) {
  const v1::PlacementGroup group = ActivatedGroup({1});
  EXPECT_TRUE(MayServe(group.members(0), {Presence::kQuiet, Incarnation(10), "boot"}));
  EXPECT_FALSE(MayServe(group.members(0), {Presence::kAlive, Incarnation(11), "boot"}));
  EXPECT_FALSE(MayServe(group.members(0), {Presence::kGone, Incarnation(10), "boot"}));
}

TEST(GroupRow, WhoIsNotActiveHasNoIncarnation) {
  v1::PlacementGroup group = ActivatedGroup({1});
  MakeInactive(*group.mutable_members(0), v1::MEMBER_SYNCING);
  EXPECT_EQ(group.members(0).incarnation(), 0u);
  EXPECT_EQ(group.members(0).boot_id(), "");
}

TEST(RuleC3GroupRow, AnActivationRecordsWhoWasActiveAndDropsWhoLeft) {
  v1::PlacementGroup group = ActivatedGroup({1, 2, 3});
  group.set_epoch(2);
  EXPECT_FALSE(IsActivated(group));
  MakeInactive(*group.mutable_members(1), v1::MEMBER_LEAVING);
  MakeInactive(*group.mutable_members(2), v1::MEMBER_SYNCING);
  Activate(group);
  EXPECT_TRUE(IsActivated(group));
  ASSERT_EQ(group.activated_size(), 1);
  EXPECT_EQ(group.activated(0).server(), 1u);
  ASSERT_EQ(group.members_size(), 2);
  EXPECT_EQ(group.members(1).server(), 3u);
}

TEST(RuleC3GroupRow, AnEpochThatLosesNobodyCountsAtOnce) {
  const v1::PlacementGroup before = ActivatedGroup({1, 2});
  v1::PlacementGroup next = before;
  next.add_members()->set_server(3);
  next.mutable_members(2)->set_state(v1::MEMBER_SYNCING);
  BeginEpoch(before, next);
  EXPECT_EQ(next.epoch(), 2u);
  EXPECT_TRUE(IsActivated(next));
  EXPECT_EQ(next.activated_size(), 2);
}

TEST(RuleC3GroupRow, AnEpochThatLosesAnActiveMemberWaitsForItsPrimary) {
  const v1::PlacementGroup before = ActivatedGroup({1, 2});
  for (const v1::MemberState state : {v1::MEMBER_SYNCING, v1::MEMBER_LEAVING}) {
    v1::PlacementGroup next = before;
    MakeInactive(*next.mutable_members(1), state);
    BeginEpoch(before, next);
    EXPECT_FALSE(IsActivated(next));
    EXPECT_EQ(next.activated_size(), 2);  // of the epoch before
  }
}

TEST(RuleC3GroupRow, AnEpochWithAnotherPrimaryWaitsForIt) {
  const v1::PlacementGroup before = ActivatedGroup({1, 2});
  v1::PlacementGroup next = before;
  next.mutable_members()->SwapElements(0, 1);
  BeginEpoch(before, next);
  EXPECT_FALSE(IsActivated(next));
}

TEST(RuleC3GroupRow, AMemberThatIsActiveAgainAsAnotherProcessWasLost) {
  const v1::PlacementGroup before = ActivatedGroup({1, 2});
  v1::PlacementGroup next = before;
  next.mutable_members(1)->set_incarnation(11);
  BeginEpoch(before, next);
  EXPECT_FALSE(IsActivated(next));
}

TEST(RuleC3GroupRow, ALossOfPowerIsNotForgottenByAPlanThatDoesNotSayIt) {
  v1::PlacementGroup before = ActivatedGroup({1, 2});
  before.set_epoch(7);
  before.set_power_lost_epoch(5);
  v1::PlacementGroup next = ActivatedGroup({1, 2});
  BeginEpoch(before, next);
  EXPECT_EQ(next.power_lost_epoch(), 5u);
  next.set_power_lost_epoch(8);
  BeginEpoch(before, next);
  EXPECT_EQ(next.power_lost_epoch(), 8u);
}

TEST(RuleC3GroupRow, AnEpochAfterOneThatDidNotCountDoesNotCountByItself) {
  v1::PlacementGroup before = ActivatedGroup({1, 2});
  before.set_epoch(2);
  v1::PlacementGroup next = before;
  BeginEpoch(before, next);
  EXPECT_EQ(next.epoch(), 3u);
  EXPECT_FALSE(IsActivated(next));
}

}  // namespace
}  // namespace cairn
