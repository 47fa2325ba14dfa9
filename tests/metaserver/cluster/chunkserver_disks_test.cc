#include "metaserver/cluster/chunkserver_disks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cairn {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

// Servers by id, each with the chunkserver that its row names.
MapSnapshot MapOf(const std::map<uint32_t, uint32_t>& chunkservers) {
  MapSnapshot map;
  for (const auto& [id, chunkserver] : chunkservers) {
    v1::ServerRecord& record = map.servers[ServerId(id)];
    record.set_id(id);
    record.set_chunkserver(chunkserver);
  }
  return map;
}

TEST(ChunkserverDisks, AreThoseThatNameTheSameChunkserver) {
  const ChunkserverDisks disks(MapOf({{1, 1}, {2, 1}, {3, 3}, {5, 1}}));
  EXPECT_THAT(disks.all(),
              ElementsAre(Pair(ServerId(1), ElementsAre(ServerId(1), ServerId(2), ServerId(5))),
                          Pair(ServerId(3), ElementsAre(ServerId(3)))));
}

TEST(ChunkserverDisks, ARowOfBeforeThereWereSeveralIsAChunkserverOfItsOwn) {
  const ChunkserverDisks disks(MapOf({{1, 0}, {2, 0}}));
  EXPECT_EQ(disks.all().size(), 2u);
  EXPECT_EQ(disks.NameOf(ServerId(2)), "chunkserver 2");
}

TEST(ChunkserverDisks, ADiskIsNamedAsOneOnlyBesideOthers) {
  const ChunkserverDisks disks(MapOf({{1, 1}, {2, 1}, {3, 3}}));
  EXPECT_EQ(disks.NameOf(ServerId(1)), "disk 1 of chunkserver 1");
  EXPECT_EQ(disks.NameOf(ServerId(2)), "disk 2 of chunkserver 1");
  EXPECT_EQ(disks.NameOf(ServerId(3)), "chunkserver 3");
  EXPECT_EQ(disks.NameOf(ServerId(9)), "chunkserver 9");  // gone from the map meanwhile
}

}  // namespace
}  // namespace cairn
