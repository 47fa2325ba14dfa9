#include "chunkserver/replication/damage_list.h"

#include <gtest/gtest.h>

namespace cairn {
namespace {

constexpr ChunkId kLost{InodeId(5), 0};
constexpr PgId kItsGroup{7};

TEST(DamageListTest, AChunkIsListedUntilItsLastLostBlockIsBack) {
  DamageList list;
  list.AddBlock(kLost, kItsGroup, 3);
  list.AddBlock(kLost, kItsGroup, 9);
  list.RemoveBlocks(kLost, 0, 5);
  ASSERT_EQ(list.List().size(), 1u);
  EXPECT_EQ(list.List()[0], std::make_pair(kLost, kItsGroup));
  list.RemoveBlocks(kLost, 9, 10);
  EXPECT_TRUE(list.List().empty());
}

TEST(DamageListTest, AChunkThatIsMissingIsListedUntilItHasBlocks) {
  DamageList list;
  list.AddChunk(kLost, kItsGroup);
  EXPECT_EQ(list.List().size(), 1u);
  list.RemoveBlocks(kLost, 0, 5);
  EXPECT_TRUE(list.List().empty());
}

TEST(DamageListTest, OfManyLostChunksAThousandAreListed) {
  DamageList list;
  for (uint64_t inode = 1; inode <= 1500; ++inode) list.AddChunk({InodeId(inode), 0}, kItsGroup);
  EXPECT_EQ(list.List().size(), 1000u);
  list.Remove({InodeId(1), 0});
  EXPECT_EQ(list.List().size(), 999u);
}

}  // namespace
}  // namespace cairn
