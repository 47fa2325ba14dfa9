#include "metaserver/cluster/group_activation.h"

#include "tests/metaserver/cluster/cluster_fixture.h"

namespace cairn {
namespace {

// Group 1 of three servers; its primary says what the test makes it say.
class GroupActivationTest : public ClusterFixture {
 protected:
  void SetUp() override {
    Build(3, 3);
    primaries_serve_ = false;
    primary_ = PrimaryOf(Group(1))->server();
    leaver_ = Group(1).members(1).server();
  }

  // The next epoch of group 1, in which its second member leaves.
  void BeginLeaving() {
    const v1::PlacementGroup before = Group(1);
    v1::PlacementGroup next = before;
    MakeInactive(*next.mutable_members(1), v1::MEMBER_LEAVING);
    BeginEpoch(before, next);
    v1::Command command;
    *command.mutable_update_groups()->add_groups() = next;
    ASSERT_THAT(StatusOfPropose(std::move(command)), IsOk());
    ASSERT_FALSE(IsActivated(Group(1)));
  }
  Result<v1::ActivateGroupsResponse> Send(const v1::ActivateGroupsRequest& request) {
    std::optional<Result<v1::ActivateGroupsResponse>> answer;
    activation_->Activate(
        request, [&](Result<v1::ActivateGroupsResponse> given) { answer = std::move(given); });
    return answer.value_or(Fail(ErrorCode::kInternal, "no answer"));
  }
  // Groups the answer holds.
  int Activate(uint32_t reporter, uint64_t epoch, std::initializer_list<uint32_t> heard = {}) {
    v1::ActivateGroupsRequest request;
    request.set_reporter(reporter);
    v1::ActivateGroupsRequest::Group& group = *request.add_groups();
    group.set_group(1);
    group.set_epoch(epoch);
    for (const uint32_t server : heard) group.add_heard(server);
    const auto answer = Send(request);
    EXPECT_THAT(answer, IsOk());
    return answer.has_value() ? answer->changes().groups_size() : -1;
  }
  int Activate(std::initializer_list<uint32_t> heard = {}) {
    return Activate(primary_, Group(1).epoch(), heard);
  }
  // Time goes by in which nobody plans, and the leaving member says nothing.
  void StayQuiet(Duration time) {
    for (Duration passed{0}; passed < time; passed += 500ms) {
      clock_.Advance(500ms);
      for (uint32_t server : {1, 2, 3}) {
        if (server == leaver_) continue;
        ASSERT_THAT(Beat(server), IsOk());
      }
    }
  }

  uint32_t primary_ = 0;
  uint32_t leaver_ = 0;
};

class RuleC1Activation : public GroupActivationTest {};

TEST_F(RuleC1Activation, WaitsForALeavingMemberThatIsAliveAndHasNotHeard) {
  BeginLeaving();
  EXPECT_EQ(Activate(), 0);
  EXPECT_EQ(Activate({primary_}), 0);
  EXPECT_FALSE(IsActivated(Group(1)));
  EXPECT_EQ(Activate({leaver_}), 1);
  EXPECT_TRUE(IsActivated(Group(1)));
}

TEST_F(RuleC1Activation, WaitsForALeavingMemberThatIsOnlyQuiet) {
  BeginLeaving();
  StayQuiet(3s);
  ASSERT_EQ(registry_->View(*Map()->FindServer(ServerId(leaver_))).presence,
            ServerView::Presence::kQuiet);
  EXPECT_EQ(Activate(), 0);
  EXPECT_FALSE(IsActivated(Group(1)));
}

TEST_F(RuleC1Activation, DoesNotWaitForALeavingMemberWhoseLeaseHasSurelyEnded) {
  BeginLeaving();
  StayQuiet(5s);
  EXPECT_EQ(Activate(), 1);
}

TEST_F(RuleC1Activation, DoesNotWaitForALeavingMemberThatWasRestarted) {
  BeginLeaving();
  ASSERT_THAT(Restart(leaver_), IsOk());
  EXPECT_EQ(Activate(), 1);
}

TEST_F(RuleC1Activation, ANewLeaderDoesNotTakeSilenceForDeath) {
  BeginLeaving();
  StayQuiet(5s);
  RestartMetaserver();
  StayQuiet(5s);
  EXPECT_EQ(Activate(), 0);
}

class RuleC3Activation : public GroupActivationTest {};

TEST_F(RuleC3Activation, OnlyThePrimaryHasItsEpochActivated) {
  BeginLeaving();
  EXPECT_EQ(Activate(leaver_, Group(1).epoch(), {leaver_}), 0);
  EXPECT_EQ(Activate(Group(1).members(2).server(), Group(1).epoch(), {leaver_}), 0);
  EXPECT_FALSE(IsActivated(Group(1)));
}

TEST_F(RuleC3Activation, OnlyTheGroupsPresentEpochIsActivated) {
  BeginLeaving();
  const uint64_t epoch = Group(1).epoch();
  EXPECT_EQ(Activate(primary_, epoch - 1, {leaver_}), 0);
  EXPECT_EQ(Activate(primary_, epoch + 1, {leaver_}), 0);
  EXPECT_FALSE(IsActivated(Group(1)));
}

TEST_F(RuleC3Activation, TheAnswerComesAfterTheRecord) {
  BeginLeaving();
  state_.FailWith(Status(ErrorCode::kNotLeader, ""));
  v1::ActivateGroupsRequest request;
  request.set_reporter(primary_);
  request.add_groups()->set_group(1);
  request.mutable_groups(0)->set_epoch(Group(1).epoch());
  request.mutable_groups(0)->add_heard(leaver_);
  EXPECT_THAT(Send(request), StatusIs(ErrorCode::kNotLeader));
  EXPECT_FALSE(IsActivated(Group(1)));
}

TEST_F(GroupActivationTest, AskingAgainIsOkAndWritesNothing) {
  BeginLeaving();
  ASSERT_EQ(Activate({leaver_}), 1);
  const int proposals = state_.proposals();
  EXPECT_EQ(Activate({leaver_}), 1);
  EXPECT_EQ(state_.proposals(), proposals);
}

TEST_F(GroupActivationTest, AnActivationDropsLeavingMembersFromTheRow) {
  BeginLeaving();
  ASSERT_EQ(Activate({leaver_}), 1);
  const v1::PlacementGroup group = Group(1);
  EXPECT_EQ(FindMember(group, ServerId(leaver_)), nullptr);
  EXPECT_EQ(group.members_size(), 2);
  ASSERT_EQ(group.activated_size(), 2);
  for (const v1::Member& member : group.activated()) EXPECT_NE(member.server(), leaver_);
}

TEST_F(GroupActivationTest, WhatCannotBeActivatedDoesNotHinderTheOthers) {
  BeginLeaving();
  v1::ActivateGroupsRequest request;
  request.set_reporter(primary_);
  request.add_groups()->set_group(999999);
  request.mutable_groups(0)->set_epoch(1);
  request.add_groups()->set_group(1);
  request.mutable_groups(1)->set_epoch(Group(1).epoch());
  request.mutable_groups(1)->add_heard(leaver_);
  const auto answer = Send(request);
  ASSERT_THAT(answer, IsOk());
  ASSERT_EQ(answer->changes().groups_size(), 1);
  EXPECT_EQ(answer->changes().groups(0).id(), 1u);
  EXPECT_EQ(answer->changes().version(), 0u);
}

TEST_F(GroupActivationTest, AThousandGroupsAreAskedForAtOnceAndNotMore) {
  v1::ActivateGroupsRequest request;
  for (int i = 0; i < 1000; ++i) request.add_groups();
  EXPECT_THAT(Send(request), IsOk());
  request.add_groups();
  EXPECT_THAT(Send(request), StatusIs(ErrorCode::kTooLarge));
}

}  // namespace
}  // namespace cairn
