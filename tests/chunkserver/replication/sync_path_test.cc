#include "chunkserver/replication/sync_path.h"

#include <gtest/gtest.h>

#include "tests/chunkserver/replication/replication_cluster.h"

namespace cairn {
namespace {

class SyncPathTest : public testing::Test {
 protected:
  SyncPathTest() {
    cluster_.SetGroup({{kA}, {kB}, {kC}});
    cluster_.WaitReady(kA);
  }
  ReplicationCluster cluster_;
};

TEST_F(SyncPathTest, MakesTheChunkDurableOnEveryActiveMember) {
  ASSERT_EQ(cluster_.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  EXPECT_EQ(cluster_.Sync(kA, kChunk)->code(), ErrorCode::kOk);
  for (const ServerId server : {kA, kB, kC}) EXPECT_TRUE(cluster_.store(server).IsDurable(kChunk));
}

TEST_F(SyncPathTest, WaitsForWritesOrderedBeforeIt) {
  cluster_.network().Hold(kA, kB, v1::CHUNK_REPLICATE);
  const AnswerPtr write = cluster_.Write(kA, kChunk, 0, Block('x'), 1);
  const AnswerPtr sync = cluster_.Sync(kA, kChunk);
  EXPECT_FALSE(sync->done());
  cluster_.network().ReleaseAll();
  EXPECT_EQ(write->code(), ErrorCode::kOk);
  EXPECT_EQ(sync->code(), ErrorCode::kOk);
  EXPECT_TRUE(cluster_.store(kB).IsDurable(kChunk));
}

TEST_F(SyncPathTest, IsAnsweredWithoutAMemberOnceAnEpochHasRemovedIt) {
  ASSERT_EQ(cluster_.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  cluster_.Kill(kC);
  const AnswerPtr sync = cluster_.Sync(kA, kChunk);
  ASSERT_TRUE(Eventually([&] { return cluster_.store(kB).IsDurable(kChunk); }));
  EXPECT_FALSE(sync->done());
  cluster_.SetGroup({{kA}, {kB}, {kC, false}});
  EXPECT_EQ(sync->code(), ErrorCode::kOk);
}

TEST_F(SyncPathTest, IsRefusedByOneThatIsNotThePrimary) {
  EXPECT_EQ(cluster_.Sync(kB, kChunk)->code(), ErrorCode::kNotPrimary);
}

}  // namespace
}  // namespace cairn
