#include "metaserver/cluster/membership.h"

#include "tests/metaserver/cluster/cluster_fixture.h"

namespace cairn {
namespace {

using MembershipTest = ClusterFixture;
using RuleC7Membership = ClusterFixture;

TEST_F(MembershipTest, ADiskKeepsItsServerIdOverRestarts) {
  Found(1);
  ASSERT_THAT(Join(1), IsOk());
  ASSERT_THAT(Join(2), IsOk());
  EXPECT_EQ(servers_[1].id, 1u);
  EXPECT_EQ(servers_[2].id, 2u);
  ASSERT_THAT(Restart(1, "boot-b"), IsOk());
  EXPECT_EQ(servers_[1].id, 1u);
  EXPECT_EQ(Map()->FindServer(ServerId(1))->incarnation(), 2u);
  EXPECT_EQ(Map()->FindServer(ServerId(1))->boot_id(), "boot-b");
}

TEST_F(MembershipTest, ADiskThatLostItsIdGetsItBack) {
  Found(1);
  ASSERT_THAT(Join(1), IsOk());
  servers_[1].id = 0;
  ASSERT_THAT(Restart(1), IsOk());
  EXPECT_EQ(servers_[1].id, 1u);
}

TEST_F(MembershipTest, JoiningAgainUnchangedWritesNothing) {
  Found(1);
  ASSERT_THAT(Join(1), IsOk());
  const int before = state_.proposals();
  ASSERT_THAT(Join(1), IsOk());
  EXPECT_EQ(state_.proposals(), before);
}

TEST_F(MembershipTest, AnotherProcessOfADiskIsCommittedAndTheSameIsNot) {
  Found(1);
  ASSERT_THAT(Join(1), IsOk());
  ASSERT_THAT(Join(2), IsOk());
  v1::JoinRequest second = JoinRequestOf(2);
  second.set_chunkserver(1);
  ASSERT_THAT(JoinWith(second), IsOk());
  EXPECT_EQ(Map()->FindServer(ServerId(2))->chunkserver(), 1u);
  const int before = state_.proposals();
  ASSERT_THAT(JoinWith(second), IsOk());
  EXPECT_EQ(state_.proposals(), before);
}

TEST_F(MembershipTest, StrangersAreRefused) {
  Found(1);
  ASSERT_THAT(Join(1), IsOk());
  v1::JoinRequest other_cluster = JoinRequestOf(1);
  other_cluster.set_cluster_id("c2");
  EXPECT_THAT(JoinWith(other_cluster), StatusIs(ErrorCode::kWrongCluster));
  v1::JoinRequest other_id = JoinRequestOf(1);
  other_id.set_server(9);
  EXPECT_THAT(JoinWith(other_id), StatusIs(ErrorCode::kWrongCluster));
  v1::JoinRequest unknown_disk = JoinRequestOf(1);
  unknown_disk.set_disk_uuid("copied");
  EXPECT_THAT(JoinWith(unknown_disk), StatusIs(ErrorCode::kWrongCluster));
}

TEST_F(MembershipTest, AnEarlierStartOfADiskIsRefused) {
  Found(1);
  ASSERT_THAT(Join(1), IsOk());
  const v1::JoinRequest old = JoinRequestOf(1);
  ASSERT_THAT(Restart(1), IsOk());
  EXPECT_THAT(JoinWith(old), StatusIs(ErrorCode::kStaleRequest));
  servers_[1].incarnation = 1;
  EXPECT_THAT(Beat(1), StatusIs(ErrorCode::kStaleRequest));
}

TEST_F(MembershipTest, AJoinOutOfShapeIsRefused) {
  Found(1);
  v1::JoinRequest request = JoinRequestOf(1);
  request.set_disk_uuid(std::string(1000, 'x'));
  EXPECT_THAT(JoinWith(request), StatusIs(ErrorCode::kInvalidArgument));
  request = JoinRequestOf(1);
  request.mutable_frames()->set_port(70000);
  EXPECT_THAT(JoinWith(request), StatusIs(ErrorCode::kInvalidArgument));
  request = JoinRequestOf(1);
  request.set_incarnation(0);
  EXPECT_THAT(JoinWith(request), StatusIs(ErrorCode::kInvalidArgument));
}

TEST_F(MembershipTest, AHeartbeatCarriesWhatChangedAndOnlyThat) {
  Build(3, 3);
  const auto all = Beat(1, 0);
  ASSERT_THAT(all, IsOk());
  EXPECT_EQ(all->changes().groups_size(), Groups());
  EXPECT_EQ(all->changes().servers_size(), 3);
  EXPECT_EQ(all->changes().pools_size(), 1);
  const auto nothing = Beat(1, all->changes().version());
  EXPECT_EQ(nothing->changes().version(), all->changes().version());
  EXPECT_EQ(nothing->changes().groups_size() + nothing->changes().servers_size(), 0);
  ASSERT_THAT(Restart(3), IsOk());
  const auto after_join = Beat(1, all->changes().version());
  EXPECT_EQ(after_join->changes().groups_size(), 0);
  EXPECT_EQ(after_join->changes().servers_size(), 3);
  Look();
  EXPECT_EQ(Beat(1, after_join->changes().version())->changes().groups_size(), Groups());
}

TEST_F(RuleC7Membership, AMemberThatAnsweredWithAnErrorLeavesOnceItsLeaseHasEnded) {
  Build(3, 3);
  ASSERT_THAT(Report(1, 2, v1::FAULT_ANSWERED_ERROR), IsOk());
  EXPECT_THAT(Beat(2), StatusIs(ErrorCode::kUnavailable));
  EXPECT_THAT(Join(2), StatusIs(ErrorCode::kUnavailable));
  Pass(3s);
  EXPECT_EQ(ActiveGroups(2), Groups());  // its last lease may still run
  Pass(1s);
  EXPECT_EQ(ActiveGroups(2), 0);
  EXPECT_EQ(ActiveGroups(1), Groups());
  EXPECT_THAT(Beat(2), IsOk());
  Pass(1s);
  EXPECT_EQ(ActiveGroups(2), 0);  // back, but behind
}

TEST_F(RuleC7Membership, TheReporterLeavesWhenTheAccusedIsReachableForOthers) {
  Build(3, 3);
  for (int i = 0; i < 6; ++i) {
    ASSERT_THAT(Report(1, 2, v1::FAULT_UNREACHABLE), IsOk());
    Pass(500ms);
  }
  EXPECT_THAT(Beat(1), StatusIs(ErrorCode::kUnavailable));
  EXPECT_THAT(Beat(2), IsOk());
  Pass(5s);
  EXPECT_EQ(ActiveGroups(1), 0);
  EXPECT_EQ(ActiveGroups(2), Groups());
  EXPECT_THAT(Beat(1), IsOk());
}

TEST_F(RuleC7Membership, TheAccusedLeavesWhenTheMetaserverCannotReachItEither) {
  Build(2, 2);
  reach_ = Status(ErrorCode::kUnavailable, "no route");
  for (int i = 0; i < 6; ++i) {
    ASSERT_THAT(Report(1, 2, v1::FAULT_UNREACHABLE), IsOk());
    Pass(500ms);
  }
  EXPECT_THAT(Beat(2), StatusIs(ErrorCode::kUnavailable));
  Pass(5s);
  EXPECT_EQ(ActiveGroups(2), 0);
  EXPECT_EQ(ActiveGroups(1), Groups());
}

TEST_F(RuleC7Membership, TheAccusedLeavesWhenTwoMembersCannotReachIt) {
  Build(3, 3);
  ASSERT_THAT(Report(1, 2, v1::FAULT_UNREACHABLE), IsOk());
  ASSERT_THAT(Report(3, 2, v1::FAULT_UNREACHABLE), IsOk());
  EXPECT_THAT(Beat(2), StatusIs(ErrorCode::kUnavailable));
  EXPECT_THAT(Beat(1), IsOk());
}

TEST_F(RuleC7Membership, SilenceDecidesAboutADeadServerAndNobodyElseLeaves) {
  Build(3, 3);
  Kill(2);
  for (int i = 0; i < 50; ++i) {
    const v1::PlacementGroup group = GroupWith(1, 2);
    if (FindMember(group, ServerId(2))->state() == v1::MEMBER_ACTIVE) {
      ASSERT_THAT(Report(1, 2, v1::FAULT_UNREACHABLE), IsOk());
    }
    Pass(100ms);
  }
  EXPECT_THAT(Beat(1), IsOk());
  EXPECT_EQ(ActiveGroups(1), Groups());
  EXPECT_EQ(ActiveGroups(2), 0);
  EXPECT_FALSE(registry_->IsShunned(ServerId(2)));
}

TEST_F(RuleC7Membership, OnlyAnActiveMemberInTheCurrentEpochIsHeard) {
  Build(4, 2);
  const v1::PlacementGroup group = GroupWith(1, 2);
  v1::ReportMemberRequest request;
  request.set_group(group.id());
  request.set_epoch(group.epoch());
  request.set_reporter(FindMember(group, ServerId(3)) == nullptr ? 3 : 4);
  request.set_accused(1);
  request.set_fault(v1::FAULT_ANSWERED_ERROR);
  EXPECT_THAT(membership_->ReportMember(request), StatusIs(ErrorCode::kNotPrimary));
  request.set_reporter(2);
  request.set_epoch(group.epoch() + 1);
  EXPECT_THAT(membership_->ReportMember(request), StatusIs(ErrorCode::kStaleEpoch));
  EXPECT_THAT(Beat(1), IsOk());
}

class MemberSyncedTest : public ClusterFixture {
 protected:
  // Server 3 was restarted and is syncing in `group_`.
  void SetUp() override {
    Build(3, 3);
    ASSERT_THAT(Restart(3), IsOk());
    Look();
    group_ = GroupWith(1, 3);
    ASSERT_EQ(FindMember(group_, ServerId(3))->state(), v1::MEMBER_SYNCING);
    request_.set_reporter(PrimaryOf(group_)->server());
    request_.set_group(group_.id());
    request_.set_epoch(group_.epoch());
    request_.set_member(3);
    request_.set_member_incarnation(2);
  }
  v1::PlacementGroup group_;
  v1::MemberSyncedRequest request_;
};

TEST_F(MemberSyncedTest, MakesTheMemberActiveInANewEpoch) {
  ASSERT_THAT(Synced(request_), IsOk());
  const v1::PlacementGroup after = Group(group_.id());
  EXPECT_EQ(after.epoch(), group_.epoch() + 1);
  EXPECT_EQ(FindMember(after, ServerId(3))->state(), v1::MEMBER_ACTIVE);
  EXPECT_EQ(FindMember(after, ServerId(3))->incarnation(), 2u);
  Look();
  EXPECT_EQ(Group(group_.id()).epoch(), after.epoch());
}

TEST_F(MemberSyncedTest, AskingAgainChangesNothing) {
  ASSERT_THAT(Synced(request_), IsOk());
  EXPECT_THAT(Synced(request_), IsOk());
  EXPECT_EQ(Group(group_.id()).epoch(), group_.epoch() + 1);
}

TEST_F(MemberSyncedTest, RefusesAMemberThatWasRestartedMeanwhile) {
  ASSERT_THAT(Restart(3), IsOk());
  EXPECT_THAT(Synced(request_), StatusIs(ErrorCode::kStaleEpoch));
  EXPECT_EQ(FindMember(Group(group_.id()), ServerId(3))->state(), v1::MEMBER_SYNCING);
}

TEST_F(MemberSyncedTest, RefusesAMemberThatIsGoneOrShunned) {
  Kill(3);
  Pass(4s);
  EXPECT_THAT(Synced(request_), StatusIs(ErrorCode::kStaleEpoch));
}

TEST_F(MemberSyncedTest, RefusesAllButThePrimaryOfTheEpoch) {
  v1::MemberSyncedRequest other = request_;
  other.set_reporter(request_.reporter() == 1 ? 2 : 1);
  EXPECT_THAT(Synced(other), StatusIs(ErrorCode::kNotPrimary));
  other = request_;
  other.set_epoch(request_.epoch() - 1);
  EXPECT_THAT(Synced(other), StatusIs(ErrorCode::kStaleEpoch));
  other = request_;
  other.set_member(9);
  EXPECT_THAT(Synced(other), StatusIs(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace cairn
