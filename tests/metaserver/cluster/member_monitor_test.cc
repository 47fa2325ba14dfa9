#include "metaserver/cluster/member_monitor.h"

#include "tests/metaserver/cluster/cluster_fixture.h"

namespace cairn {
namespace {

using MemberMonitorTest = ClusterFixture;
using RuleC1Monitor = ClusterFixture;
using RuleC2Monitor = ClusterFixture;
using RuleC3Monitor = ClusterFixture;
using RuleM8Monitor = ClusterFixture;

TEST_F(RuleC1Monitor, ASilentMemberIsRemovedOnlyAfterItsLeaseHasEnded) {
  Build(3, 3);
  ASSERT_THAT(Beat(3), IsOk());
  Kill(3);
  Pass(3500ms);
  EXPECT_EQ(ActiveGroups(3), Groups());
  Pass(200ms);
  EXPECT_EQ(ActiveGroups(3), 0);
  EXPECT_EQ(ActiveGroups(1), Groups());
}

TEST_F(RuleC1Monitor, NoLeaseIsGivenWhileTheRemovalIsBeingCommitted) {
  Build(3, 3);
  Kill(3);
  std::optional<Result<v1::HeartbeatResponse>> meanwhile;
  state_.on_propose = [&](const v1::Command& command) {
    if (command.has_update_groups()) meanwhile = Beat(3);
  };
  Pass(4s);
  ASSERT_TRUE(meanwhile.has_value());
  EXPECT_THAT(*meanwhile, StatusIs(ErrorCode::kUnavailable));
  EXPECT_EQ(ActiveGroups(3), 0);
  const auto afterwards = Beat(3, 0);
  ASSERT_THAT(afterwards, IsOk());
  EXPECT_EQ(afterwards->changes().version(), Map()->version);
}

TEST_F(RuleC2Monitor, ARestartedMemberIsDemotedAtOnce) {
  Build(3, 3);
  ASSERT_THAT(Restart(2), IsOk());
  Look();
  EXPECT_EQ(ActiveGroups(2), 0);
  EXPECT_EQ(ActiveGroups(1), Groups());
  EXPECT_EQ(ActiveGroups(3), Groups());
}

TEST_F(RuleC3Monitor, AllRestartedInTheSameBootGoOnFromTheFirstThatIsBack) {
  Build(3, 3);
  ASSERT_THAT(Restart(2), IsOk());
  ASSERT_THAT(Restart(1), IsOk());
  ASSERT_THAT(Restart(3), IsOk());
  Look();
  EXPECT_EQ(ActiveGroups(1) + ActiveGroups(2) + ActiveGroups(3), Groups());
}

TEST_F(RuleC3Monitor, AfterAPowerCutTheGroupWaitsForAllItsLastMembers) {
  Build(3, 3);
  for (const uint32_t server : {1u, 2u, 3u}) Kill(server);
  Pass(5s);
  ASSERT_THAT(Restart(2, "boot-b"), IsOk());
  ASSERT_THAT(Restart(3, "boot-b"), IsOk());
  Pass(5s);
  EXPECT_EQ(ActiveGroups(2) + ActiveGroups(3), 0);
  ASSERT_THAT(Restart(1, "boot-b"), IsOk());
  Look();
  EXPECT_EQ(ActiveGroups(1), Groups());
  EXPECT_EQ(ActiveGroups(2) + ActiveGroups(3), 0);
}

TEST_F(RuleC3Monitor, OneRemovedEarlierIsNoSource) {
  Build(3, 3);
  Kill(3);
  Pass(5s);
  for (const uint32_t server : {1u, 2u}) Kill(server);
  ASSERT_THAT(Restart(3), IsOk());
  Pass(10s);
  EXPECT_EQ(ActiveGroups(3), 0);
  ASSERT_THAT(Restart(2), IsOk());
  Look();
  EXPECT_EQ(ActiveGroups(2), Groups());
}

TEST_F(MemberMonitorTest, AMemberThatWasOnlySilentServesAgainWhenItIsAllThereIs) {
  Build(1, 1);
  Kill(1);
  Pass(10s);
  const uint64_t epoch = Map()->groups.begin()->second.epoch();
  servers_[1].running = true;
  Pass(1s);
  EXPECT_EQ(ActiveGroups(1), Groups());
  EXPECT_EQ(Map()->groups.begin()->second.epoch(), epoch);
}

TEST_F(MemberMonitorTest, NothingIsProposedWhileNothingChanges) {
  Build(3, 3);
  const int before = state_.proposals();
  Pass(20s);
  EXPECT_EQ(state_.proposals(), before);
}

TEST_F(MemberMonitorTest, AFailedProposalIsMadeAgain) {
  Build(3, 3);
  ASSERT_THAT(Restart(2), IsOk());
  state_.FailWith(Status(ErrorCode::kUnavailable, "not leading"));
  EXPECT_THAT(monitor_->Tick(), StatusIs(ErrorCode::kUnavailable));
  state_.FailWith(OkStatus());
  Look();
  EXPECT_EQ(ActiveGroups(1), Groups());
  EXPECT_EQ(FindMember(GroupWith(1, 2), ServerId(2))->state(), v1::MEMBER_SYNCING);
}

TEST_F(RuleM8Monitor, ARestartedMetaserverRemovesNobodyBeforeItHasWaited) {
  Build(3, 3);
  RestartMetaserver();
  for (const uint32_t server : {1u, 2u, 3u}) Kill(server);
  Pass(6400ms);
  EXPECT_EQ(ActiveGroups(1), Groups());
  servers_[1].running = true;
  servers_[2].running = true;
  Pass(1s);
  EXPECT_EQ(ActiveGroups(1), Groups());
  EXPECT_EQ(ActiveGroups(3), 0);
}

// Stopped with SIGSTOP, or its host suspended: the heartbeats that wait are answered one by one.
TEST_F(RuleM8Monitor, AfterAPauseOfTheMetaserverNobodyCountsAsSilent) {
  Build(3, 3);
  Pass(10s);
  clock_.Advance(60s);
  ASSERT_THAT(Beat(1), IsOk());
  Look();
  EXPECT_EQ(ActiveGroups(2), Groups());
  Pass(10s);
  EXPECT_EQ(ActiveGroups(2), Groups());
  Kill(3);
  Pass(4s);
  EXPECT_EQ(ActiveGroups(3), 0);
}

TEST_F(MemberMonitorTest, TheThreadLooksByItself) {
  Build(3, 3);
  servers_[2].incarnation++;
  ASSERT_THAT(Join(2), IsOk());
  monitor_->Start();
  monitor_->Wake();
  const Deadline deadline = Deadline::After(10s);
  while (state_.group_updates() == 0 && !deadline.Passed()) std::this_thread::yield();
  monitor_->Stop();
  EXPECT_GT(state_.group_updates(), 0);
}

TEST_F(MemberMonitorTest, AClusterThatHasGrownTwofoldGetsMoreGroupsForItsNewFiles) {
  Build(3, 3);
  ASSERT_EQ(Groups(), 64);
  for (const uint32_t server : {4u, 5u}) ASSERT_THAT(Join(server), IsOk());
  Pass(5s);
  EXPECT_EQ(Map()->FindPool(PoolId(1))->generation(), 1u);
  ASSERT_THAT(Join(6), IsOk());
  Pass(5s);
  EXPECT_EQ(Map()->FindPool(PoolId(1))->generation(), 2u);
  EXPECT_EQ(Groups(), 64) << "they are made on first use";
  ASSERT_THAT(Ensure(), IsOk());
  EXPECT_EQ(Groups(), 64 + 128);
  Pass(5s);
  EXPECT_EQ(Map()->FindPool(PoolId(1))->generation(), 2u);
}

}  // namespace
}  // namespace cairn
