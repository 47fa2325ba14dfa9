#include "chunkserver/replication/surplus_chunks.h"

#include <gtest/gtest.h>

#include <atomic>

#include "tests/chunkserver/replication/replication_cluster.h"

namespace cairn {
namespace {

constexpr uint64_t kChunks = 120;  // more than go at once

ChunkId NthChunk(uint64_t inode) {
  return {InodeId(inode), 0};
}

class SurplusChunksTest : public testing::Test {
 protected:
  SurplusChunksTest() {
    cluster_.SetGroup({{kA}, {kB}, {kC}});
    cluster_.WaitReady(kA);
  }
  void WriteChunks(uint64_t count) {
    for (uint64_t inode = 1; inode <= count; ++inode) {
      ASSERT_EQ(cluster_.Write(kA, NthChunk(inode), 0, Block('a'), inode)->code(), ErrorCode::kOk);
    }
  }
  uint64_t ChunksAt(ServerId server) { return cluster_.store(server).Usage(kGroup).chunks; }
  ReplicationCluster cluster_;
};

TEST_F(SurplusChunksTest, ChunksOfAGroupThisServerLeftGo) {
  WriteChunks(kChunks);
  cluster_.SetGroup({{kA}, {kB}});
  EXPECT_TRUE(Eventually([&] { return ChunksAt(kC) == 0; }));
  EXPECT_EQ(ChunksAt(kA), kChunks);
  EXPECT_EQ(ChunksAt(kB), kChunks);
}

TEST_F(SurplusChunksTest, AServerThatWasAwayWhenItLeftDeletesAfterItsStart) {
  WriteChunks(3);
  cluster_.Kill(kC);
  cluster_.SetGroup({{kA}, {kB}});
  cluster_.WaitReady(kA);
  ASSERT_EQ(ChunksAt(kC), 3u);
  cluster_.Start(kC);
  cluster_.Publish();
  EXPECT_TRUE(Eventually([&] { return ChunksAt(kC) == 0; }));
}

class RuleC3SurplusChunks : public SurplusChunksTest {};

// Without an activated epoch this server may be a source still.
TEST_F(RuleC3SurplusChunks, ChunksStayUntilTheEpochWithoutThisServerCounts) {
  WriteChunks(3);
  cluster_.HoldActivations(true);
  const int asked = cluster_.activations_asked();
  cluster_.SetGroup({{kA}, {kB}});
  ASSERT_TRUE(Eventually([&] { return cluster_.activations_asked() >= asked + 3; }));
  EXPECT_EQ(ChunksAt(kC), 3u);
  cluster_.HoldActivations(false);
  EXPECT_TRUE(Eventually([&] { return ChunksAt(kC) == 0; }));
}

TEST_F(SurplusChunksTest, AMemberThatIsOnlySyncingKeepsItsChunks) {
  WriteChunks(3);
  cluster_.network().Cut(kA, kC);
  std::atomic<int> dropped = 0;
  cluster_.store(kC).OnDrop([&](ChunkId) { ++dropped; });
  cluster_.SetGroup({{kA}, {kB}, {kC, false}});
  cluster_.WaitReady(kA);
  cluster_.Kill(kC);  // what is under way there has ended
  EXPECT_EQ(dropped, 0);
  EXPECT_EQ(ChunksAt(kC), 3u);
}

// It becomes a member again while its first chunk is being deleted.
TEST_F(SurplusChunksTest, AServerThatIsAMemberAgainInBetweenKeepsTheRest) {
  WriteChunks(5);
  cluster_.network().Cut(kA, kC);  // no catch-up brings anything back
  std::atomic<int> dropped = 0;
  std::atomic<bool> member = false;
  cluster_.store(kC).OnDrop([&](ChunkId) {
    if (++dropped > 1) return;
    cluster_.SetGroup({{kA}, {kB}, {kC, false}});
    member = true;
  });
  cluster_.SetGroup({{kA}, {kB}});
  ASSERT_TRUE(Eventually([&] { return member.load(); }));
  cluster_.Kill(kC);  // what is under way there has ended
  EXPECT_EQ(dropped, 1);
  EXPECT_EQ(ChunksAt(kC), 4u);
}

}  // namespace
}  // namespace cairn
