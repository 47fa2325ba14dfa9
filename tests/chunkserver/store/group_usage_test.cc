#include "chunkserver/store/group_usage.h"

#include "tests/chunkserver/store/store_fixture.h"

namespace cairn {
namespace {

constexpr PgId kOneGroup{1};
constexpr PgId kOtherGroup{2};

ChunkId UsedChunk(uint64_t inode, uint32_t index = 0) {
  return {InodeId(inode), index};
}

ChunkRow UsedRow(uint64_t epoch, uint64_t counter, uint32_t blocks = 1, PgId group = kOneGroup) {
  ChunkRow row;
  row.group = group;
  row.version = {Epoch(epoch), counter};
  row.present_blocks = blocks;
  return row;
}

uint64_t SumOf(std::initializer_list<std::pair<ChunkId, ChunkRow>> chunks) {
  GroupUsages usages;
  for (const auto& [id, row] : chunks) usages.Add(id, row);
  return usages.Of(kOneGroup).sum;
}

TEST(GroupUsages, CountsEachGroupByItself) {
  GroupUsages usages;
  usages.Add(UsedChunk(1), UsedRow(1, 1, 3));
  usages.Add(UsedChunk(2), UsedRow(1, 1, 4));
  usages.Add(UsedChunk(3), UsedRow(1, 1, 5, kOtherGroup));
  EXPECT_EQ(usages.Of(kOneGroup).chunks, 2u);
  EXPECT_EQ(usages.Of(kOneGroup).bytes(), 7 * uint64_t{kBlockSize});
  EXPECT_EQ(usages.Of(kOtherGroup).chunks, 1u);
  EXPECT_EQ(usages.Of(PgId(3)).chunks, 0u);
}

TEST(RuleC6GroupUsages, SumsOfEqualVersionsAreEqualInAnyOrder) {
  const std::pair a(UsedChunk(1), UsedRow(1, 5));
  const std::pair b(UsedChunk(2), UsedRow(3, 1));
  const std::pair c(UsedChunk(2, 1), UsedRow(2, 2));
  EXPECT_EQ(SumOf({a, b, c}), SumOf({c, a, b}));
}

TEST(RuleC6GroupUsages, SumsDifferWhenAVersionOrAChunkDoes) {
  const uint64_t sum = SumOf({{UsedChunk(1), UsedRow(1, 5)}, {UsedChunk(2), UsedRow(1, 6)}});
  EXPECT_NE(sum, SumOf({{UsedChunk(1), UsedRow(1, 5)}, {UsedChunk(2), UsedRow(1, 7)}}));
  EXPECT_NE(sum, SumOf({{UsedChunk(1), UsedRow(1, 5)}, {UsedChunk(2), UsedRow(2, 6)}}));
  EXPECT_NE(sum, SumOf({{UsedChunk(1), UsedRow(1, 6)}, {UsedChunk(2), UsedRow(1, 5)}}));
  EXPECT_NE(sum, SumOf({{UsedChunk(1), UsedRow(1, 5)}, {UsedChunk(3), UsedRow(1, 6)}}));
  EXPECT_NE(sum, SumOf({{UsedChunk(1), UsedRow(1, 5)}, {UsedChunk(2, 1), UsedRow(1, 6)}}));
  EXPECT_NE(sum, SumOf({{UsedChunk(1), UsedRow(1, 5)}}));
  EXPECT_NE(SumOf({}), SumOf({{UsedChunk(1), UsedRow(1, 1)}}));
}

TEST(GroupUsages, WhatIsAddedAndRemovedCancels) {
  GroupUsages usages;
  usages.Add(UsedChunk(1), UsedRow(1, 5, 3));
  const GroupUsage before = usages.Of(kOneGroup);
  usages.Add(UsedChunk(2), UsedRow(1, 6, 4));
  usages.Remove(UsedChunk(2), UsedRow(1, 6, 4));
  EXPECT_EQ(usages.Of(kOneGroup).chunks, before.chunks);
  EXPECT_EQ(usages.Of(kOneGroup).blocks, before.blocks);
  EXPECT_EQ(usages.Of(kOneGroup).sum, before.sum);
  usages.Remove(UsedChunk(1), UsedRow(1, 5, 3));
  EXPECT_EQ(usages.Of(kOneGroup).chunks, 0u);
  EXPECT_EQ(usages.Of(kOneGroup).sum, 0u);
}

// What the store counts as its chunks change.
class GroupUsageInStore : public StoreTest {
 protected:
  void ExpectUsage(const GroupUsage& expected) {
    const GroupUsage usage = store_->Usage(kGroup);
    EXPECT_EQ(usage.chunks, expected.chunks);
    EXPECT_EQ(usage.blocks, expected.blocks);
    EXPECT_EQ(usage.sum, expected.sum);
  }
  std::vector<ChunkId> Unsealed(std::optional<ChunkId> after, size_t limit) {
    std::vector<ChunkId> ids;
    const auto infos = store_->ListUnsealed(kGroup, after, limit);
    EXPECT_OK(infos);
    for (const ChunkInfo& info : *infos) {
      EXPECT_FALSE(info.sealed);
      ids.push_back(info.id);
    }
    return ids;
  }
};

TEST_F(GroupUsageInStore, FollowsWritesAndRemovals) {
  ASSERT_OK(Fill(0, 2 * kBlockSize, 'a', UsedChunk(1)));
  const GroupUsage one = store_->Usage(kGroup);
  EXPECT_EQ(one.chunks, 1u);
  EXPECT_EQ(one.blocks, 2u);
  ASSERT_OK(Fill(0, kBlockSize, 'b', UsedChunk(2)));
  EXPECT_EQ(store_->Usage(kGroup).chunks, 2u);
  EXPECT_EQ(store_->Usage(kGroup).blocks, 3u);
  ASSERT_OK(store_->Drop(UsedChunk(2)));
  ExpectUsage(one);
  ASSERT_OK(Fill(0, kBlockSize, 'c', UsedChunk(1)));  // over what is there
  EXPECT_EQ(store_->Usage(kGroup).blocks, 2u);
  EXPECT_NE(store_->Usage(kGroup).sum, one.sum);
  ASSERT_OK(store_->Remove(UsedChunk(1), file_, true));
  ExpectUsage({});
}

TEST_F(GroupUsageInStore, ACutTakesBlocksAway) {
  ASSERT_OK(Fill(0, 4 * kBlockSize, 'a', UsedChunk(1)));
  Cut(kBlockSize);
  ASSERT_OK(store_->Remove(UsedChunk(1), file_, false));
  EXPECT_EQ(store_->Usage(kGroup).blocks, 1u);
}

TEST_F(GroupUsageInStore, IsCountedAgainAtEveryStart) {
  for (uint64_t inode = 1; inode <= 5; ++inode) {
    ASSERT_OK(Fill(0, inode * kBlockSize, 'a', UsedChunk(inode)));
  }
  const GroupUsage before = store_->Usage(kGroup);
  EXPECT_EQ(before.blocks, 15u);
  CloseAndOpen();
  ExpectUsage(before);
  KillAndOpen();
  ExpectUsage(before);
}

TEST_F(GroupUsageInStore, SealingChangesNothing) {
  ASSERT_OK(Fill(0, kBlockSize, 'a', UsedChunk(1)));
  const GroupUsage before = store_->Usage(kGroup);
  ASSERT_OK(SealAll());
  ASSERT_TRUE(IsSealed(UsedChunk(1)));
  ExpectUsage(before);
}

TEST_F(GroupUsageInStore, UnsealedChunksAreListedInPages) {
  for (uint64_t inode = 1; inode <= 9; ++inode) {
    ASSERT_OK(Fill(0, kBlockSize, 'a', UsedChunk(inode)));
  }
  ASSERT_OK(SealAll());
  EXPECT_EQ(Unsealed(std::nullopt, 10), std::vector<ChunkId>{});
  for (const uint64_t inode : {2, 4, 5, 7, 9}) {
    ASSERT_OK(Fill(0, kBlockSize, 'b', UsedChunk(inode)));
  }
  EXPECT_EQ(Unsealed(std::nullopt, 2), (std::vector<ChunkId>{UsedChunk(2), UsedChunk(4)}));
  EXPECT_EQ(Unsealed(UsedChunk(4), 2), (std::vector<ChunkId>{UsedChunk(5), UsedChunk(7)}));
  EXPECT_EQ(Unsealed(UsedChunk(7), 2), (std::vector<ChunkId>{UsedChunk(9)}));
  EXPECT_EQ(Unsealed(UsedChunk(9), 2), std::vector<ChunkId>{});
  EXPECT_EQ(Unsealed(UsedChunk(6), 9), (std::vector<ChunkId>{UsedChunk(7), UsedChunk(9)}));
}

TEST_F(GroupUsageInStore, UnsealedChunksAreKnownAfterARestart) {
  ASSERT_OK(Fill(0, kBlockSize, 'a', UsedChunk(1)));
  ASSERT_OK(SealAll());
  ASSERT_OK(Fill(0, kBlockSize, 'a', UsedChunk(2)));
  KillAndOpen();
  EXPECT_EQ(Unsealed(std::nullopt, 10), (std::vector<ChunkId>{UsedChunk(2)}));
}

}  // namespace
}  // namespace cairn
