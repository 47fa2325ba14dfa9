#include "chunkserver/store/block_doubts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cairn {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr ChunkId kChunk{InodeId(5), 1};

TEST(BlockDoubts, AreSettledBlockByBlock) {
  BlockDoubts doubts;
  doubts.AddSuspect(kChunk, PgId(1), 3);
  doubts.AddSuspect(kChunk, PgId(1), 4);
  doubts.Settle(kChunk, 3);
  EXPECT_THAT(doubts.Suspects(kChunk), ElementsAre(4));
  EXPECT_THAT(doubts.SuspectChunks(PgId(1)), ElementsAre(kChunk));
  doubts.Settle(kChunk, 4);
  EXPECT_FALSE(doubts.HasSuspects(kChunk));
  EXPECT_THAT(doubts.SuspectChunks(PgId(1)), IsEmpty());
}

TEST(BlockDoubts, DamageIsNewOnceUntilItIsMended) {
  BlockDoubts doubts;
  EXPECT_TRUE(doubts.AddDamaged(kChunk, 3));
  EXPECT_FALSE(doubts.AddDamaged(kChunk, 3));
  EXPECT_FALSE(doubts.IsSuspect(kChunk, 3));
  EXPECT_THAT(doubts.SuspectChunks(PgId(0)), IsEmpty());
  doubts.Settle(kChunk, 3);
  EXPECT_TRUE(doubts.AddDamaged(kChunk, 3));
}

}  // namespace
}  // namespace cairn
