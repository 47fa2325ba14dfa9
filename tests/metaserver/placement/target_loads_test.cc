#include "metaserver/placement/target_loads.h"

#include <gtest/gtest.h>

#include "tests/metaserver/cluster/hand_made_shape.h"

namespace cairn {
namespace {

constexpr PoolId kPool{1};
constexpr ServerId k1{1};
constexpr ServerId k2{2};
constexpr ServerId k3{3};
constexpr ServerId k4{4};

TEST(TargetLoads, AServerTwiceAsLargeCarriesTwiceAsMuch) {
  HandMadeShape shape(2, 2);
  shape.server(1).total_bytes = 2000;
  shape.server(2).total_bytes = 1000;
  shape.AddGroup(1, {1, 2});
  shape.AddGroup(2, {1});
  const ClusterShape looked = shape.Shape();
  TargetLoads loads(looked);
  EXPECT_DOUBLE_EQ(loads.LoadOf(kPool, k1), loads.LoadOf(kPool, k2));
  loads.Add(kPool, k2);
  EXPECT_GT(loads.LoadOf(kPool, k2), loads.LoadOf(kPool, k1));
}

TEST(TargetLoads, AServerOfUnknownSizeCountsAsAverage) {
  HandMadeShape shape(2, 1);
  shape.server(2).total_bytes = 0;
  shape.AddGroup(1, {1});
  shape.AddGroup(2, {2});
  const ClusterShape looked = shape.Shape();
  const TargetLoads loads(looked);
  EXPECT_DOUBLE_EQ(loads.LoadOf(kPool, k1), loads.LoadOf(kPool, k2));
}

TEST(TargetLoads, WhoLeavesIsNoLoad) {
  HandMadeShape shape(2, 2);
  MakeInactive(*shape.AddGroup(1, {1, 2}).mutable_members(1), v1::MEMBER_LEAVING);
  const ClusterShape looked = shape.Shape();
  const TargetLoads loads(looked);
  EXPECT_EQ(loads.LoadOf(kPool, k1), 1);
  EXPECT_EQ(loads.LoadOf(kPool, k2), 0);
}

TEST(TargetLoads, PrimariesAreCountedAndMove) {
  HandMadeShape shape(2, 2);
  shape.AddGroup(1, {1, 2});
  shape.AddGroup(2, {1, 2});
  const ClusterShape looked = shape.Shape();
  TargetLoads loads(looked);
  EXPECT_EQ(loads.PrimariesOf(kPool, k1), 2);
  EXPECT_EQ(loads.PrimariesOf(kPool, k2), 0);
  loads.MovePrimary(kPool, k1, k2);
  EXPECT_EQ(loads.PrimariesOf(kPool, k1), 1);
  EXPECT_EQ(loads.PrimariesOf(kPool, k2), 1);
}

TEST(TargetLoads, OneOnTheSameHostIsNearerThanAllOnTheSameRack) {
  HandMadeShape shape(5);
  for (const uint32_t server : {1, 2, 3, 4}) shape.server(server).rack = "rack";
  shape.server(5).host = "host1";
  shape.AddGroup(1, {1, 2, 3});
  const ClusterShape looked = shape.Shape();
  const TargetLoads loads(looked);
  EXPECT_GT(loads.Neighbours(shape.group(1), shape.server(5)),
            loads.Neighbours(shape.group(1), shape.server(4)));
  shape.server(4).rack = "other";
  EXPECT_EQ(loads.Neighbours(shape.group(1), shape.server(4)), 0);
}

TEST(TargetLoads, AMoveThatOnlySwapsTheLoadsDoesNotImprove) {
  HandMadeShape shape(4, 1);
  shape.AddGroup(1, {1});
  shape.AddGroup(2, {1});
  shape.AddGroup(3, {2});
  const ClusterShape looked = shape.Shape();
  const TargetLoads loads(looked);
  EXPECT_FALSE(loads.MoveImproves(shape.group(1), k1, k2));  // 2 and 1 would be 1 and 2
  EXPECT_TRUE(loads.MoveImproves(shape.group(1), k1, k3));   // 2 and 0 would be 1 and 1
}

TEST(TargetLoads, EachPoolIsSpreadByItself) {
  HandMadeShape shape(2, 1);
  shape.AddPool(2, 1);
  for (uint32_t id = 1; id <= 4; ++id) shape.AddGroup(id, {1});
  for (uint32_t id = 5; id <= 8; ++id) shape.AddGroup(id, {2}).set_pool(2);
  const ClusterShape looked = shape.Shape();
  const TargetLoads loads(looked);
  EXPECT_EQ(loads.LoadOf(kPool, k1), 4);
  EXPECT_EQ(loads.LoadOf(kPool, k2), 0);
  EXPECT_EQ(loads.LoadOf(PoolId(2), k1), 0);
  EXPECT_EQ(loads.PrimariesOf(PoolId(2), k2), 4);
  // Four groups each, and all data of one pool on one server.
  EXPECT_TRUE(loads.MoveImproves(shape.group(1), k1, k2));
  EXPECT_TRUE(loads.MoveImproves(shape.group(5), k2, k1));
  EXPECT_FALSE(loads.MoveImproves(shape.group(5), k1, k2));
}

TEST(TargetLoads, DistanceInsideTheGroupGoesBeforeLoad) {
  HandMadeShape shape(4, 2);
  shape.server(2).host = "host1";
  shape.AddGroup(1, {1, 2});
  for (uint32_t id = 2; id < 6; ++id) shape.AddGroup(id, {4});
  const ClusterShape looked = shape.Shape();
  const TargetLoads loads(looked);
  EXPECT_TRUE(loads.MoveImproves(shape.group(1), k2, k4));
}

TEST(TargetLoads, OneInTheSameProcessIsNearerThanAllOnTheSameHost) {
  HandMadeShape shape(5);
  for (const uint32_t server : {1, 2, 3, 4, 5}) {
    shape.server(server).host = "host";
    shape.server(server).chunkserver = ServerId(server);
  }
  shape.server(5).host = "other";
  shape.server(5).chunkserver = ServerId(1);
  shape.AddGroup(1, {1, 2, 3});
  const ClusterShape looked = shape.Shape();
  const TargetLoads loads(looked);
  EXPECT_GT(loads.Neighbours(shape.group(1), shape.server(5)),
            loads.Neighbours(shape.group(1), shape.server(4)));
}

TEST(TargetLoads, NobodyKeepsAwayFromADiskThatIsOnItsWayOut) {
  HandMadeShape shape(3);
  for (const uint32_t server : {1, 2}) shape.server(server).chunkserver = ServerId(1);
  shape.AddGroup(1, {1, 3});
  const auto nearness = [&shape] {
    const ClusterShape looked = shape.Shape();
    return TargetLoads(looked).Neighbours(shape.group(1), shape.server(2));
  };
  EXPECT_GT(nearness(), 0);
  shape.server(1).draining = true;
  EXPECT_EQ(nearness(), 0);
  shape.server(1).draining = false;
  shape.server(1).view.presence = ServerView::Presence::kGone;
  EXPECT_EQ(nearness(), 0);
  shape.server(1).in_maintenance = true;  // it will be back
  EXPECT_GT(nearness(), 0);
}

TEST(TargetLoads, WhoseProcessIsNotKnownIsAlone) {
  HandMadeShape shape(2);
  for (const uint32_t server : {1, 2}) shape.server(server).chunkserver = ServerId();
  shape.AddGroup(1, {1});
  const ClusterShape looked = shape.Shape();
  EXPECT_EQ(TargetLoads(looked).Neighbours(shape.group(1), shape.server(2)), 0);
}

}  // namespace
}  // namespace cairn
