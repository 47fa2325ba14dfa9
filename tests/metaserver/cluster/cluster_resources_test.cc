#include "metaserver/cluster/cluster_resources.h"

#include "tests/metaserver/cluster/cluster_fixture.h"

namespace cairn {
namespace {

using ClusterResourcesTest = ClusterFixture;

TEST_F(ClusterResourcesTest, GroupsWaitForEnoughServers) {
  Found(3);
  ASSERT_THAT(Join(1), IsOk());
  EXPECT_THAT(Ensure(), StatusIs(ErrorCode::kUnavailable));
  ASSERT_THAT(Join(2), IsOk());
  ASSERT_THAT(Join(3), IsOk());
  EXPECT_THAT(Ensure(), IsOk());
  const int proposals = state_.proposals();
  EXPECT_THAT(Ensure(), IsOk());
  EXPECT_EQ(state_.proposals(), proposals);
}

TEST_F(ClusterResourcesTest, GroupsAreMadeOfServersThatAreUp) {
  Found(2);
  for (const uint32_t server : {1u, 2u, 3u}) ASSERT_THAT(Join(server), IsOk());
  Kill(2);
  Pass(8s);
  ASSERT_THAT(Ensure(), IsOk());
  EXPECT_EQ(ActiveGroups(2), 0);
  EXPECT_EQ(ActiveGroups(1), Groups());
}

TEST_F(ClusterResourcesTest, SomeoneElseWhoMadeThemFirstIsNoError) {
  Found(3);
  for (const uint32_t server : {1u, 2u, 3u}) ASSERT_THAT(Join(server), IsOk());
  const auto before = Map();
  state_.OnMapChanged([] {});  // what happens next is not heard of
  MapCache other_maps(state_);
  ClusterResources other(state_, other_maps, *registry_);
  other.Ensure(PoolId(1), [](const Status& status) { EXPECT_THAT(status, IsOk()); });
  ASSERT_EQ(Map(), before);
  EXPECT_THAT(Ensure(), IsOk());
  EXPECT_EQ(Groups(), 64);
}

TEST_F(ClusterResourcesTest, SpaceIsThatOfAllServersSharedByTheCopies) {
  Build(3, 3);
  const auto space = resources_->CurrentSpace();
  ASSERT_THAT(space, IsOk());
  EXPECT_EQ(space->total_bytes, 1000u);
  EXPECT_EQ(space->available_bytes, 900u);
}

TEST_F(ClusterResourcesTest, SpaceEndsWhereTheFirstServerIsFull) {
  Build(3, 3);
  servers_[2].available_bytes = 640;
  ASSERT_THAT(Beat(2), IsOk());
  EXPECT_EQ(resources_->CurrentSpace()->available_bytes, 640u);
  Kill(2);
  Pass(8s);  // its groups go on without it
  EXPECT_EQ(resources_->CurrentSpace()->available_bytes, 900u);
}

TEST_F(ClusterResourcesTest, OneDiskThatIsNearlyFullIsEnoughForMountsToWriteThrough) {
  Build(3, 3);
  EXPECT_FALSE(resources_->NearFull());
  servers_[2].available_bytes = 49;
  ASSERT_THAT(Beat(2), IsOk());
  EXPECT_TRUE(resources_->NearFull());
  Kill(2);
  Pass(8s);
  EXPECT_FALSE(resources_->NearFull());
}

// Three pools with their groups on all servers: a file of the default pool finds what it found.
TEST_F(ClusterResourcesTest, SpaceIsThatOfTheDefaultPoolWhateverOthersThereAre) {
  Build(4, 2);
  const uint64_t before = resources_->CurrentSpace()->available_bytes;
  for (const uint32_t copies : {1u, 3u}) {
    v1::Command command;
    command.mutable_set_layout()->set_inode(kRootInode.value);
    command.mutable_set_layout()->set_copies(copies);
    ASSERT_THAT(StatusOfPropose(std::move(command)), IsOk());
  }
  for (const uint32_t pool : {2u, 3u}) {
    Status ensured(ErrorCode::kInternal, "no answer");
    resources_->Ensure(PoolId(pool), [&](const Status& status) { ensured = status; });
    ASSERT_THAT(ensured, IsOk());
  }
  ASSERT_EQ(Map()->groups.size(), 128u + 256u + 86u);
  EXPECT_EQ(before, 1800u);
  EXPECT_EQ(resources_->CurrentSpace()->available_bytes, before);
}

TEST_F(ClusterResourcesTest, APoolThatLacksServersSaysHowMany) {
  Build(2, 2);
  v1::Command command;
  command.mutable_set_layout()->set_inode(kRootInode.value);
  command.mutable_set_layout()->set_copies(3);
  ASSERT_THAT(StatusOfPropose(std::move(command)), IsOk());
  Status ensured;
  resources_->Ensure(PoolId(2), [&](const Status& status) { ensured = status; });
  EXPECT_THAT(ensured, StatusIs(ErrorCode::kUnavailable));
  EXPECT_EQ(ensured.message(), "3 copies need 3 chunkservers: 2 are up, 1 are missing");
}

TEST_F(ClusterResourcesTest, BeforeAnyServerWasHeardTheRoomIsNotKnown) {
  Build(3, 3);
  RestartMetaserver();
  EXPECT_THAT(resources_->CurrentSpace(), StatusIs(ErrorCode::kUnavailable));
}

}  // namespace
}  // namespace cairn
