#include "client/cluster_map.h"

#include <gtest/gtest.h>

#include "common/hash.h"
#include "tests/support/fake_cluster.h"

namespace cairn::client {
namespace {

// No metaserver: what is not applied is not known.
class ClusterMapTest : public ::testing::Test {
 protected:
  static v1::ClusterMap Map(uint64_t version, uint64_t epoch, uint32_t primary) {
    v1::ClusterMap map;
    map.set_version(version);
    v1::Pool* pool = map.add_pools();
    pool->set_id(1);
    pool->set_generation(1);
    pool->set_first_group(5);
    pool->set_group_count(1);
    v1::PlacementGroup* group = map.add_groups();
    group->set_id(5);
    group->set_epoch(epoch);
    for (uint32_t server : {primary, primary + 1}) {
      v1::Member* member = group->add_members();
      member->set_server(server);
      member->set_state(v1::MEMBER_ACTIVE);
    }
    for (uint32_t server : {1u, 2u, 3u}) {
      v1::ServerAddress* address = map.add_servers();
      address->set_server(server);
      address->mutable_frames()->set_host("host");
      address->mutable_frames()->set_port(7410 + server);
    }
    return map;
  }
  static v1::Layout Layout() {
    v1::Layout layout;
    layout.set_pool(1);
    layout.set_generation(1);
    return layout;
  }

  ClusterMapCache map_{nullptr, true};
};

TEST_F(ClusterMapTest, ChunksOfAFileGoRoundTheGroupsOfItsPool) {
  v1::Pool pool;
  pool.set_generation(1);
  pool.set_first_group(100);
  pool.set_group_count(7);
  v1::Layout layout = Layout();
  layout.set_seed(99);
  for (uint32_t i = 0; i < 20; ++i) {
    EXPECT_EQ(GroupOf(layout, pool, i)->value, 100 + (MixBits(99) + i) % 7);
  }
}

TEST_F(ClusterMapTest, ThePrimaryIsTheFirstActiveMember) {
  v1::ClusterMap map = Map(1, 1, 1);
  map.mutable_groups(0)->mutable_members(0)->set_state(v1::MEMBER_SYNCING);
  map_.Apply(map);
  EXPECT_EQ(map_.Get(Layout(), 0)->address.port, 7412);
}

TEST_F(ClusterMapTest, AnOldEpochNeverReplacesANewOne) {
  map_.Apply(Map(2, 8, 2));
  map_.Apply(Map(1, 7, 1));
  EXPECT_EQ(map_.Get(Layout(), 0)->epoch, Epoch(8));
  EXPECT_EQ(map_.Get(Layout(), 0)->address.port, 7412);
}

TEST_F(ClusterMapTest, WithoutAnActiveMemberThereIsNoRoute) {
  v1::ClusterMap map = Map(1, 1, 1);
  for (v1::Member& member : *map.mutable_groups(0)->mutable_members()) {
    member.set_state(v1::MEMBER_SYNCING);
  }
  map_.Apply(map);
  EXPECT_EQ(map_.Get(Layout(), 0).error().code(), ErrorCode::kUnavailable);
}

TEST_F(ClusterMapTest, AnotherGenerationOfThePoolIsNotGuessed) {
  map_.Apply(Map(1, 1, 1));
  v1::Layout layout = Layout();
  layout.set_generation(2);
  EXPECT_EQ(map_.Get(layout, 0).error().code(), ErrorCode::kUnavailable);
}

TEST_F(ClusterMapTest, AFileStaysInTheGroupsOfItsGeneration) {
  v1::ClusterMap map = Map(1, 1, 1);
  v1::PoolGeneration& earlier = *map.mutable_pools(0)->add_earlier();
  earlier.set_generation(1);
  earlier.set_first_group(5);
  earlier.set_group_count(1);
  map.mutable_pools(0)->set_generation(2);
  map.mutable_pools(0)->set_first_group(0);
  map.mutable_pools(0)->set_group_count(0);
  map_.Apply(map);
  EXPECT_EQ(map_.Get(Layout(), 3)->group, PgId(5));
}

using RuleC3ClusterMap = ClusterMapTest;

TEST_F(RuleC3ClusterMap, ALostGroupIsAnErrorAtOnceAndNotWaitedFor) {
  v1::ClusterMap map = Map(1, 1, 1);
  map.mutable_groups(0)->set_lost(true);
  map.mutable_groups(0)->clear_members();
  map_.Apply(map);
  EXPECT_EQ(map_.Get(Layout(), 0).error().code(), ErrorCode::kIoError);
}

// Its groups are made when somebody asks for it: a map that was fetched for another does not do.
TEST_F(ClusterMapTest, APoolWithoutGroupsIsAskedForHoweverFreshTheMapIs) {
  testing::FakeCluster cluster;
  v1::ClusterMap told = Map(9, 1, 1);
  told.add_pools()->set_id(2);
  cluster.metadata().SetMap(told);
  ChannelOptions options;
  options.hello.set_role(v1::ROLE_CLIENT);
  ChannelPool channels(options);
  MetaserverLink link(&channels, cluster.Options().metaservers);
  Session session(&link, SessionOptions());
  MetadataClient metadata(&link, &session, std::chrono::seconds(20));
  ClusterMapCache map(&metadata, true);
  const Deadline deadline = Deadline::After(std::chrono::seconds(20));
  const BootTime moment = SystemClock().Now();
  for (const auto& [pool, fetches] : {std::pair(1u, 1u), std::pair(1u, 1u), std::pair(2u, 2u)}) {
    v1::Layout layout = Layout();
    layout.set_pool(pool);
    ASSERT_TRUE(map.Refresh(moment, layout, deadline).ok());
    EXPECT_EQ(cluster.script().Count(v1::METADATA_FETCH_MAP), fetches) << "pool " << pool;
  }
}

}  // namespace
}  // namespace cairn::client
