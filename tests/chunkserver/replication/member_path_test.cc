#include "chunkserver/replication/member_path.h"

#include <gtest/gtest.h>

#include "common/crc32c.h"
#include "tests/chunkserver/replication/replication_cluster.h"

namespace cairn {
namespace {

constexpr ChunkId kChunk{InodeId(5), 0};
std::string Block(char c) { return std::string(kBlockSize, c); }

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
    return cluster_
        .Call(kB, v1::CHUNK_REPLICATE, request, Payload::CopyOf(Block(content)), from)
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

}  // namespace
}  // namespace cairn
