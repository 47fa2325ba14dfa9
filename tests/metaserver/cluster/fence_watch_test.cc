#include "metaserver/cluster/fence_watch.h"

#include "tests/metaserver/cluster/cluster_fixture.h"

namespace cairn {
namespace {

class RuleL1FenceWatch : public ClusterFixture {
 protected:
  void SetUp() override { Build(3, 3); }
  // A mount is silent for too long.
  void Fence(const std::string& client) {
    v1::Command open;
    open.mutable_open_session()->set_client_id(client);
    uint64_t session = 0;
    state_.Propose(open, [&](const Result<v1::Outcome>& outcome) { session = outcome->session(); });
    v1::Command close;
    close.mutable_close_session()->set_session(session);
    close.mutable_close_session()->set_fence(true);
    ASSERT_THAT(StatusOfPropose(close), IsOk());
  }
  bool Passed(uint64_t fence = 1) { return PassedFences(*Map(), *registry_) >= fence; }
  void Say(uint32_t server, uint64_t finished) {
    servers_[server].fences_finished = finished;
    ASSERT_THAT(internal::StatusOf(Beat(server)), IsOk());
  }
};

TEST_F(RuleL1FenceWatch, WithoutFencesThereIsNothingToWaitFor) {
  EXPECT_TRUE(Passed(0));
}

TEST_F(RuleL1FenceWatch, PassesWhenEveryServerHasSaidSo) {
  Fence("dead");
  EXPECT_FALSE(Passed());
  Say(1, 1);
  Say(2, 5);
  EXPECT_FALSE(Passed());
  Say(3, 1);
  EXPECT_TRUE(Passed());
  EXPECT_FALSE(Passed(2));
}

TEST_F(RuleL1FenceWatch, ASilentServerIsWaitedForUntilItsLeaseHasRunOut) {
  Fence("dead");
  Say(1, 1);
  Say(2, 1);
  Kill(3);
  Pass(timing::kMemberRemoved);
  EXPECT_FALSE(Passed());
  Pass(200ms);
  EXPECT_TRUE(Passed());
}

TEST_F(RuleL1FenceWatch, AServerThatComesBackSaysItAnew) {
  Fence("dead");
  for (uint32_t server = 1; server <= 3; ++server) Say(server, 1);
  ASSERT_TRUE(Passed());
  servers_[3].fences_finished = 0;
  ASSERT_THAT(Restart(3), IsOk());
  EXPECT_FALSE(Passed());
  Say(3, 1);
  EXPECT_TRUE(Passed());
}

TEST_F(RuleL1FenceWatch, ANewLeaderHearsItFromTheServers) {
  Fence("dead");
  for (uint32_t server = 1; server <= 3; ++server) Say(server, 1);
  RestartMetaserver();
  EXPECT_FALSE(Passed());
  for (uint32_t server = 1; server <= 3; ++server) Say(server, 1);
  EXPECT_TRUE(Passed());
}

TEST_F(RuleL1FenceWatch, ALeaseComesWithTheFencesTheServerLacks) {
  Fence("dead");
  Fence("dead too");
  const auto first = Beat(1);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->fences_size(), 2);
  EXPECT_EQ(first->last_fence(), 2u);
  EXPECT_EQ(first->time().seconds(), clock_.WallNow().seconds);
  servers_[1].fences_known = 1;
  EXPECT_EQ(Beat(1)->fences_size(), 1);
  servers_[1].fences_known = 2;
  EXPECT_EQ(Beat(1)->fences_size(), 0);
}

}  // namespace
}  // namespace cairn
