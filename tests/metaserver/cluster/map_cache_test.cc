#include "metaserver/cluster/map_cache.h"

#include "tests/metaserver/cluster/cluster_fixture.h"

namespace cairn {
namespace {

using MapCacheTest = ClusterFixture;

TEST_F(MapCacheTest, OnlyWhatIsNewerIsAChange) {
  Build(3, 3);
  const uint64_t version = Map()->version;
  EXPECT_EQ(Map()->ChangesSince(0).groups_size(), Groups());
  EXPECT_EQ(Map()->ChangesSince(version).groups_size(), 0);
  EXPECT_EQ(Map()->ChangesSince(version).servers_size(), 0);
  EXPECT_EQ(Map()->ChangesSince(version).version(), version);
  EXPECT_EQ(Map()->ChangesSince(version - 1).groups_size(), Groups());
}

TEST_F(MapCacheTest, AVersionFromNowhereGetsTheWholeMap) {
  Build(3, 3);
  EXPECT_EQ(Map()->ChangesSince(1u << 30).groups_size(), Groups());
}

TEST_F(MapCacheTest, ReadsAgainOnlyAfterAChange) {
  Build(3, 3);
  const auto before = Map();
  EXPECT_EQ(Map(), before);
  ASSERT_THAT(Restart(1), IsOk());
  EXPECT_NE(Map(), before);
  EXPECT_EQ(before->FindServer(ServerId(1))->incarnation(), 1u);  // a snapshot stays as it is
  EXPECT_EQ(Map()->FindServer(ServerId(1))->incarnation(), 2u);
}

TEST_F(MapCacheTest, FindsWhatIsThereAndNothingElse) {
  Build(3, 3);
  EXPECT_NE(Map()->FindPool(PoolId(0)), nullptr);
  EXPECT_EQ(Map()->FindPool(PoolId(9)), nullptr);
  EXPECT_EQ(Map()->FindGroup(PgId(100000)), nullptr);
  EXPECT_EQ(Map()->FindServer(ServerId(9)), nullptr);
}

}  // namespace
}  // namespace cairn
