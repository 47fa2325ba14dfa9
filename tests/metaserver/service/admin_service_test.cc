#include "metaserver/service/admin_service.h"

#include "metaserver/store/schema.h"
#include "tests/common/temporary_directory.h"
#include "tests/metaserver/cluster/cluster_fixture.h"
#include "tests/metaserver/cluster/fake_call.h"
#include "tests/raft/node_group.h"

namespace cairn {
namespace {

class AdminServiceTest : public ClusterFixture {
 protected:
  void SetUp() override {
    auto opened = DataDirectory::Open(PosixFiles(), place_ / "meta", kMetaserverRole, "boot");
    ASSERT_THAT(opened, IsOk());
    directory_ = *std::move(opened);
    ASSERT_THAT(directory_->SetIdentity("c1", ServerId(1)), IsOk());
    nodes_.StartAll();
    ASSERT_EQ(nodes_.Leader(), 1);
    group_ = std::make_unique<MetaserverGroup>(
        MetaserverGroupParts{&nodes_.node(1), &state_, directory_.get(), nullptr, nullptr});
    RegisterAdminService(dispatcher_,
                         {&state_, maps_.get(), registry_.get(), &clock_, directory_.get(), group_.get(),
                          nullptr, [](SessionId) { return uint64_t{3}; }});
  }
  Result<v1::GetStatusResponse> GetStatus() {
    return Ask<v1::GetStatusResponse>(dispatcher_, v1::ADMIN_GET_STATUS, v1::GetStatusRequest());
  }
  Status SetPool(uint32_t min_active) {
    v1::SetPoolRequest request;
    request.set_min_active(min_active);
    return internal::StatusOf(Ask<v1::SetPoolResponse>(dispatcher_, v1::ADMIN_SET_POOL, request));
  }

  TemporaryDirectory place_;
  std::unique_ptr<DataDirectory> directory_;
  testing::NodeGroup nodes_{1};
  std::unique_ptr<MetaserverGroup> group_;
  Dispatcher dispatcher_;
};

TEST_F(AdminServiceTest, TellsAnUnbornServerFromALeader) {
  EXPECT_EQ(GetStatus()->metaserver().role(), "unborn");
  v1::FoundClusterRequest request;
  request.set_cluster_id("c1");
  request.set_copies(1);
  ASSERT_THAT(Ask<v1::FoundClusterResponse>(dispatcher_, v1::ADMIN_FOUND_CLUSTER, request), IsOk());
  EXPECT_EQ(GetStatus()->metaserver().role(), "leader");
  EXPECT_EQ(GetStatus()->metaserver().server(), 1u);
  EXPECT_EQ(GetStatus()->cluster_id(), "c1");
}

TEST_F(AdminServiceTest, CountsServersAndGroupsAsTheyAre) {
  Build(3, 3);
  Kill(2);
  Pass(5s);
  const auto status = GetStatus();
  ASSERT_THAT(status, IsOk());
  ASSERT_EQ(status->chunkservers_size(), 3);
  EXPECT_TRUE(status->chunkservers(0).up());
  EXPECT_FALSE(status->chunkservers(1).up());
  EXPECT_GE(status->chunkservers(1).silent_ms(), 3500u);
  EXPECT_EQ(status->chunkservers(1).active_groups(), 0u);
  EXPECT_EQ(status->chunkservers(1).syncing_groups(), status->groups());
  EXPECT_EQ(status->reduced_groups(), status->groups());
  EXPECT_EQ(status->full_groups(), 0u);
}

TEST_F(AdminServiceTest, ListsSessionsWithTheirOpenFiles) {
  Build(1, 1);
  v1::SessionRecord session;
  session.set_id(8);
  session.set_mount_point("/mnt");
  state_.Put(schema::SessionKey(SessionId(8)), session);
  const auto status = GetStatus();
  ASSERT_EQ(status->sessions_size(), 1);
  EXPECT_EQ(status->sessions(0).mount_point(), "/mnt");
  EXPECT_EQ(status->sessions(0).open_files(), 3u);
}

TEST_F(AdminServiceTest, MinActiveIsBetweenOneAndTheCopies) {
  Build(3, 3);
  EXPECT_THAT(SetPool(0), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(SetPool(4), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(SetPool(3), IsOk());
  EXPECT_EQ(Map()->FindPool(PoolId(0))->min_active(), 3u);
}

TEST_F(AdminServiceTest, HealthIsEmptyWhenAllIsWell) {
  Build(3, 3);
  const auto health =
      Ask<v1::GetHealthResponse>(dispatcher_, v1::ADMIN_GET_HEALTH, v1::GetHealthRequest());
  ASSERT_THAT(health, IsOk());
  EXPECT_EQ(health->items_size(), 0);
}

// Chunkservers speak to the leader alone.
TEST_F(AdminServiceTest, WhoDoesNotLeadSaysNothingOfChunkservers) {
  Build(3, 3);
  for (uint32_t server : {1, 2, 3}) Kill(server);
  Pass(1h);
  state_.serving_term = Term();
  const auto health =
      Ask<v1::GetHealthResponse>(dispatcher_, v1::ADMIN_GET_HEALTH, v1::GetHealthRequest());
  ASSERT_THAT(health, IsOk());
  EXPECT_EQ(health->items_size(), 0);
  const auto status = GetStatus();
  ASSERT_THAT(status, IsOk());
  EXPECT_EQ(status->chunkservers_size(), 0);
  EXPECT_EQ(status->unavailable_groups(), 0u);
  EXPECT_EQ(status->cluster_id(), Map()->cluster_id);
}

TEST_F(AdminServiceTest, ABuildWithoutFaultsTakesNone) {
  EXPECT_THAT(Ask<v1::SetFaultsResponse>(dispatcher_, v1::ADMIN_SET_FAULTS, v1::SetFaultsRequest()),
              StatusIs(ErrorCode::kUnimplemented));
}

}  // namespace
}  // namespace cairn
