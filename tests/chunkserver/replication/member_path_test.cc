#include "chunkserver/replication/member_path.h"

#include <gtest/gtest.h>

#include "chunkserver/replication/wire.h"
#include "common/crc32c.h"
#include "tests/chunkserver/replication/replication_cluster.h"

namespace cairn {
namespace {

class MemberPathTest : public testing::Test {
 protected:
  MemberPathTest() {
    cluster_.SetGroup({{kA}, {kB}});
    cluster_.WaitReady(kA);
  }
  ErrorCode Replicate(uint64_t counter, uint64_t after, char content, ServerId from = kA) {
    v1::ReplicateRequest request;
    v1::WriteChunkRequest& write = *request.mutable_write();
    *write.mutable_chunk() = cluster_.Address(kChunk);
    write.add_crcs(Crc32c(Block(content).data(), kBlockSize));
    request.set_version_epoch(cluster_.epoch());
    request.set_version_counter(counter);
    if (after > 0) request.set_after_epoch(cluster_.epoch());
    request.set_after_counter(after);
    return cluster_.Call(kB, v1::CHUNK_REPLICATE, request, Payload::CopyOf(Block(content)), from)
        ->code();
  }
  ErrorCode Install(ServerId at, ServerId from) {
    v1::InstallBlocksRequest request;
    request.set_group(kGroup.value);
    request.set_epoch(cluster_.epoch());
    request.mutable_summary()->set_inode(kChunk.inode.value);
    request.set_remove(true);
    return cluster_.Call(at, v1::CHUNK_INSTALL_BLOCKS, request, {}, from)->code();
  }
  ReplicationCluster cluster_;
};

TEST_F(MemberPathTest, AVersionItHasIsConfirmedAndNotWrittenAgain) {
  EXPECT_EQ(Replicate(1, 0, 'a'), ErrorCode::kOk);
  EXPECT_EQ(Replicate(2, 0, 'b'), ErrorCode::kOk);
  EXPECT_EQ(Replicate(1, 0, 'a'), ErrorCode::kOk);
  EXPECT_EQ(cluster_.store(kB).Bytes(kChunk), Block('b'));
  EXPECT_EQ(cluster_.store(kB).write_count(), 2);
}

TEST_F(MemberPathTest, NothingIsAppliedOverAGap) {
  EXPECT_EQ(Replicate(2, 1, 'b'), ErrorCode::kBusy);
  EXPECT_FALSE(cluster_.store(kB).Has(kChunk));
  EXPECT_EQ(Replicate(1, 0, 'a'), ErrorCode::kOk);
  EXPECT_EQ(Replicate(2, 1, 'b'), ErrorCode::kOk);
  EXPECT_EQ(cluster_.store(kB).Bytes(kChunk), Block('b'));
}

// A write of the generation before the cut is on its way to B while B trims already.
class TrimTest : public MemberPathTest {
 protected:
  void WriteOverATrimAt(uint64_t length, uint32_t offset, const std::string& bytes) {
    ASSERT_EQ(cluster_.Write(kA, kChunk, 0, Block('o') + Block('o') + Block('o'), 1)->code(),
              ErrorCode::kOk);
    cluster_.network().Hold(kA, kB, v1::CHUNK_REPLICATE);
    const AnswerPtr write = cluster_.Write(kA, kChunk, offset, bytes, 2);
    Trim(kB, length);
    cluster_.network().ReleaseAll();
    EXPECT_EQ(write->code(), ErrorCode::kOk);
    ASSERT_TRUE(cluster_.reports().empty());
    Trim(kA, length);
  }
  void Trim(ServerId at, uint64_t length) {
    v1::RemoveChunksRequest request;
    v1::ChunkAddress& chunk = *request.add_chunks();
    chunk = cluster_.Address(kChunk);
    chunk.set_generation(2);
    v1::Cut& cut = *chunk.add_cuts();
    cut.set_generation(2);
    cut.set_length(length);
    EXPECT_EQ(cluster_.Call(at, v1::CHUNK_REMOVE, request)->code(), ErrorCode::kOk);
  }
  void ExpectEqualCopies(const std::string& bytes) {
    for (const ServerId server : {kA, kB}) EXPECT_EQ(cluster_.store(server).Bytes(kChunk), bytes);
    const auto a = *cluster_.store(kA).Info(kChunk);
    const auto b = *cluster_.store(kB).Info(kChunk);
    ASSERT_EQ(a.has_value(), b.has_value());
    if (!a.has_value()) return;
    EXPECT_EQ(a->version, b->version);
    EXPECT_EQ(a->generation, b->generation);
    EXPECT_EQ(a->digest, b->digest);
    EXPECT_EQ(a->last_sequence, b->last_sequence);
  }
};

TEST_F(TrimTest, AWriteOrderedBeforeATrimThatCameFirstKeepsWhatIsInFrontOfTheCut) {
  WriteOverATrimAt(kBlockSize + 100, 50, Block('x') + Block('x'));
  ExpectEqualCopies(std::string(50, 'o') + Block('x') + std::string(50, 'x') +
                    std::string(kBlockSize - 100, '\0'));
}

TEST_F(TrimTest, AWriteOrderedBeforeATrimThatTakesAllOfItCountsAsApplied) {
  WriteOverATrimAt(kBlockSize, 2 * kBlockSize, Block('x'));
  ExpectEqualCopies(Block('o'));
}

TEST_F(TrimTest, AWriteOrderedBeforeATrimDoesNotBringTheChunkBack) {
  WriteOverATrimAt(0, 0, Block('x'));
  EXPECT_FALSE(cluster_.store(kA).Has(kChunk));
  EXPECT_FALSE(cluster_.store(kB).Has(kChunk));
}

TEST_F(TrimTest, AWriteOfBeforeATrimIsNotOrderedAfterItEvenWhereNothingWasCut) {
  for (const ServerId server : {kA, kB}) Trim(server, 0);
  EXPECT_EQ(cluster_.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kStaleGeneration);
  for (const ServerId server : {kA, kB}) EXPECT_FALSE(cluster_.store(server).Has(kChunk));
}

// Rule C9: the metaserver forgets what was to be removed, the disk must not.
TEST_F(TrimTest, AnAnsweredTrimIsOnDisk) {
  ASSERT_EQ(cluster_.Write(kA, kChunk, 0, Block('o') + Block('o'), 1)->code(), ErrorCode::kOk);
  EXPECT_FALSE(cluster_.store(kB).IsDurable(kChunk));
  Trim(kB, kBlockSize);
  EXPECT_TRUE(cluster_.store(kB).IsDurable(kChunk));
}

// Rule C9: else its takeover brings the chunk back from a member that was not asked yet.
TEST_F(MemberPathTest, APrimaryThatDoesNotServeYetRemovesNothing) {
  ASSERT_EQ(cluster_.Write(kA, kChunk, 0, Block('o'), 1)->code(), ErrorCode::kOk);
  cluster_.network().Cut(kB, kA);
  cluster_.SetGroup({{kB}, {kA}});
  cluster_.Publish();
  EXPECT_EQ(cluster_.Remove(kB, kChunk)->code(), ErrorCode::kBusy);
  EXPECT_TRUE(cluster_.store(kB).Has(kChunk));
  cluster_.network().Cut(kB, kA, false);
  cluster_.WaitReady(kB);
  EXPECT_EQ(cluster_.Remove(kB, kChunk)->code(), ErrorCode::kOk);
}

TEST_F(MemberPathTest, OnlyThePrimaryReplicates) {
  EXPECT_EQ(Replicate(1, 0, 'a', kC), ErrorCode::kNotPrimary);
  EXPECT_EQ(Replicate(1, 0, 'a', ServerId(0)), ErrorCode::kNotPrimary);
}

TEST_F(MemberPathTest, OnlyThePrimaryInstallsAndNotOnItself) {
  EXPECT_EQ(Install(kB, kC), ErrorCode::kNotPrimary);
  EXPECT_EQ(Install(kA, kA), ErrorCode::kStaleEpoch);
  EXPECT_EQ(Install(kB, kA), ErrorCode::kOk);
}

TEST_F(MemberPathTest, ASyncingMemberTakesNothingBeforeItsCatchUpBegins) {
  cluster_.network().Cut(kA, kB);
  cluster_.SetGroup({{kA}, {kB, false}});
  EXPECT_EQ(Replicate(1, 0, 'a'), ErrorCode::kStaleEpoch);
  EXPECT_EQ(Install(kB, kA), ErrorCode::kStaleEpoch);
}

TEST_F(MemberPathTest, AStrangerCannotListOrFetch) {
  v1::ListBlocksRequest request;
  request.set_group(kGroup.value);
  request.set_epoch(cluster_.epoch());
  request.set_inode(5);
  EXPECT_EQ(cluster_.Call(kA, v1::CHUNK_LIST_BLOCKS, request, {}, kC)->code(),
            ErrorCode::kNotPrimary);
  EXPECT_EQ(cluster_.Call(kA, v1::CHUNK_LIST_BLOCKS, request, {}, kB)->code(), ErrorCode::kOk);
}

TEST(RuleC9, WhatMendsAMemberThatServesUndoesNoTrim) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  ASSERT_EQ(cluster.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  const ChunkInfo info = **cluster.store(kB).Info(kChunk);
  v1::InstallBlocksRequest request;
  request.set_group(kGroup.value);
  request.set_epoch(cluster.epoch());
  *request.mutable_summary() = SummaryOf(info);
  request.set_chunk_size(info.chunk_size);
  request.set_only_mend(true);
  EXPECT_EQ(cluster.Call(kB, v1::CHUNK_INSTALL_BLOCKS, request, {}, kA)->code(), ErrorCode::kOk);
  request.mutable_summary()->set_generation(info.generation + 1);
  EXPECT_EQ(cluster.Call(kB, v1::CHUNK_INSTALL_BLOCKS, request, {}, kA)->code(), ErrorCode::kBusy);
  *request.mutable_summary() = SummaryOf(info);
  ASSERT_TRUE(cluster.store(kB).Drop(kChunk).ok());
  EXPECT_EQ(cluster.Call(kB, v1::CHUNK_INSTALL_BLOCKS, request, {}, kA)->code(), ErrorCode::kBusy);
  EXPECT_FALSE(cluster.store(kB).Has(kChunk));
}

}  // namespace
}  // namespace cairn
