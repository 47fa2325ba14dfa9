#include "chunkserver/replication/block_repair.h"

#include <gtest/gtest.h>

#include "tests/chunkserver/replication/replication_cluster.h"

namespace cairn {
namespace {

TEST(BlockRepairTest, ACopyThatCouldNotBeFetchedIsNoLoss) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  ASSERT_EQ(cluster.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  cluster.store(kA).Corrupt(kChunk, 0);
  cluster.network().LoseAnswers(kA, kB, v1::CHUNK_FETCH_BLOCKS, 1);
  EXPECT_EQ(cluster.Read(kA, kChunk, 0, kBlockSize)->code(), ErrorCode::kUnavailable);
  EXPECT_TRUE(cluster.replica(kA).damage().List().empty());
  EXPECT_EQ(cluster.Read(kA, kChunk, 0, kBlockSize)->code(), ErrorCode::kOk);
}

TEST(RuleC9, ARepairBringsNothingBackFromBehindACut) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  ASSERT_EQ(cluster.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  v1::ReadChunkRequest request;
  *request.mutable_chunk() = cluster.Address(kChunk);
  request.mutable_chunk()->set_generation(2);
  v1::Cut& cut = *request.mutable_chunk()->add_cuts();
  cut.set_generation(2);
  cut.set_length(100);
  request.set_length(kBlockSize);
  ASSERT_EQ(cluster.Call(kA, v1::CHUNK_READ, request)->code(), ErrorCode::kOk);
  cluster.store(kA).Corrupt(kChunk, 0);
  EXPECT_EQ(cluster.Call(kA, v1::CHUNK_READ, request)->code(), ErrorCode::kIoError);
}

TEST(BlockRepairTest, AMissingChunkIsCopiedWithItsHoles) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  ASSERT_EQ(cluster.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  ASSERT_EQ(cluster.Write(kA, kChunk, 5 * kBlockSize, Block('y'), 2)->code(), ErrorCode::kOk);
  ASSERT_TRUE(cluster.store(kA).Drop(kChunk).ok());
  EXPECT_EQ(cluster.Read(kA, kChunk, 0, kBlockSize, true)->code(), ErrorCode::kOk);
  EXPECT_EQ((*cluster.store(kA).Info(kChunk))->digest, (*cluster.store(kB).Info(kChunk))->digest);
  EXPECT_EQ((*cluster.store(kA).Info(kChunk))->version, (*cluster.store(kB).Info(kChunk))->version);
}

TEST(BlockRepairTest, AMissingChunkIsNeverSeenHalfCopied) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  ASSERT_EQ(cluster.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  ASSERT_EQ(cluster.Write(kA, kChunk, 5 * kBlockSize, Block('y'), 2)->code(), ErrorCode::kOk);
  ASSERT_TRUE(cluster.store(kA).Drop(kChunk).ok());
  cluster.store(kB).Corrupt(kChunk, 5);
  bool seen = false;
  cluster.store(kA).OnInstall([&] { seen = true; });
  EXPECT_EQ(cluster.Read(kA, kChunk, 0, kBlockSize, true)->code(), ErrorCode::kIoError);
  EXPECT_FALSE(seen);
}

TEST(BlockRepairTest, AMendedBlockDoesNotHideAnotherThatIsLost) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  ASSERT_EQ(cluster.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  ASSERT_EQ(cluster.Write(kA, kChunk, 5 * kBlockSize, Block('y'), 2)->code(), ErrorCode::kOk);
  for (const ServerId server : {kA, kB}) cluster.store(server).Corrupt(kChunk, 5);
  EXPECT_EQ(cluster.Read(kA, kChunk, 5 * kBlockSize, kBlockSize)->code(), ErrorCode::kIoError);
  cluster.store(kA).Corrupt(kChunk, 0);
  EXPECT_EQ(cluster.Read(kA, kChunk, 0, kBlockSize)->code(), ErrorCode::kOk);
  EXPECT_EQ(cluster.replica(kA).damage().List().size(), 1u);
}

}  // namespace
}  // namespace cairn
