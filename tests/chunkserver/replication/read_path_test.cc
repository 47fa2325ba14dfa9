#include "chunkserver/replication/read_path.h"

#include <gtest/gtest.h>

#include "tests/chunkserver/replication/replication_cluster.h"

namespace cairn {
namespace {

constexpr Duration kShort = std::chrono::milliseconds(100);

std::string BytesOf(const AnswerPtr& read) {
  const Result<RawReply> reply = read->Get();
  return reply.has_value() ? std::string(reply->payload.view()) : reply.error().ToString();
}

bool IsAbsent(const AnswerPtr& read) {
  const Result<RawReply> reply = read->Get();
  return reply.has_value() && reply->Parse<v1::ReadChunkResponse>()->absent();
}

TEST(RuleC8, AReadWaitsForTheWriteInFlightOnItsBlocks) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  ASSERT_EQ(cluster.Write(kA, kChunk, 0, Block('o') + Block('p'), 1)->code(), ErrorCode::kOk);
  cluster.network().Hold(kA, kB, v1::CHUNK_REPLICATE);
  const AnswerPtr write = cluster.Write(kA, kChunk, 0, Block('n'), 2);
  const AnswerPtr read = cluster.Read(kA, kChunk, 0, kBlockSize);
  // Other blocks of the chunk are not concerned.
  EXPECT_EQ(BytesOf(cluster.Read(kA, kChunk, kBlockSize, kBlockSize)), Block('p'));
  EXPECT_FALSE(read->done());
  cluster.network().ReleaseAll();
  EXPECT_EQ(BytesOf(read), Block('n'));
  EXPECT_EQ(write->code(), ErrorCode::kOk);
}

TEST(RuleC8, AReadBehindAWriteThatDoesNotEndGivesUpAtItsDeadline) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  cluster.network().Hold(kA, kB, v1::CHUNK_REPLICATE);
  const AnswerPtr write = cluster.Write(kA, kChunk, 0, Block('n'), 1);
  EXPECT_EQ(cluster.Read(kA, kChunk, 0, kBlockSize, false, kShort)->code(),
            ErrorCode::kDeadlineExceeded);
  EXPECT_FALSE(write->done());
}

TEST(RuleC8, OnlyThePrimaryAnswersReads) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  EXPECT_EQ(cluster.Read(kB, kChunk, 0, kBlockSize)->code(), ErrorCode::kNotPrimary);
}

TEST(ReadPathTest, NeverWrittenChunkIsAHole) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  EXPECT_TRUE(IsAbsent(cluster.Read(kA, kChunk, 0, kBlockSize)));
}

TEST(ReadPathTest, ADamagedBlockIsServedFromACopyAndMended) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}, {kC}});
  cluster.WaitReady(kA);
  ASSERT_EQ(cluster.Write(kA, kChunk, 0, Block('x') + Block('y'), 1)->code(), ErrorCode::kOk);
  cluster.store(kA).Corrupt(kChunk, 1);
  cluster.store(kB).Corrupt(kChunk, 1);
  EXPECT_EQ(BytesOf(cluster.Read(kA, kChunk, 0, 2 * kBlockSize)), Block('x') + Block('y'));
  EXPECT_EQ(cluster.store(kA).Bytes(kChunk), Block('x') + Block('y'));
  EXPECT_GE(cluster.store(kA).Counters().checksum_errors, 1u);
  EXPECT_TRUE(cluster.replica(kA).damage().List().empty());
}

TEST(ReadPathTest, ABlockWithoutAGoodCopyIsAnErrorAndListed) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  ASSERT_EQ(cluster.Write(kA, kChunk, 0, Block('x') + Block('y'), 1)->code(), ErrorCode::kOk);
  cluster.store(kA).Corrupt(kChunk, 1);
  cluster.store(kB).Corrupt(kChunk, 1);
  EXPECT_EQ(cluster.Read(kA, kChunk, 0, 2 * kBlockSize)->code(), ErrorCode::kIoError);
  ASSERT_EQ(cluster.replica(kA).damage().List().size(), 1u);
  EXPECT_EQ(cluster.replica(kA).damage().List()[0].first, kChunk);
  EXPECT_EQ(BytesOf(cluster.Read(kA, kChunk, 0, kBlockSize)), Block('x'));
}

TEST(RuleC10, AChunkMissingInsideTheRunsIsCopiedFromAMemberThatHasIt) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}, {kC}});
  cluster.WaitReady(kA);
  ASSERT_EQ(cluster.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  ASSERT_TRUE(cluster.store(kA).Drop(kChunk).ok());
  ASSERT_TRUE(cluster.store(kB).Drop(kChunk).ok());
  EXPECT_EQ(BytesOf(cluster.Read(kA, kChunk, 0, kBlockSize, true)), Block('x'));
  EXPECT_EQ(cluster.store(kA).Bytes(kChunk), Block('x'));
}

TEST(RuleC10, AChunkThatAllAgreeIsMissingInsideTheRunsIsAnErrorNotZeros) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  EXPECT_EQ(cluster.Read(kA, kChunk, 0, kBlockSize, true)->code(), ErrorCode::kIoError);
  EXPECT_EQ(cluster.replica(kA).damage().List().size(), 1u);
}

TEST(RuleC10, AMemberThatDoesNotAnswerDoesNotAgree) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}, {kC}});
  cluster.WaitReady(kA);
  cluster.Kill(kC);
  EXPECT_EQ(cluster.Read(kA, kChunk, 0, kBlockSize, true)->code(), ErrorCode::kUnavailable);
  EXPECT_TRUE(cluster.replica(kA).damage().List().empty());
}

}  // namespace
}  // namespace cairn
