#include "chunkserver/replication/fsck_path.h"

#include <gtest/gtest.h>

#include "tests/chunkserver/replication/replication_cluster.h"

namespace cairn {
namespace {

class RuleC11FsckPath : public testing::Test {
 protected:
  RuleC11FsckPath() {
    cluster_.SetGroup({{kA}, {kB}});
    cluster_.WaitReady(kA);
  }
  void WriteChunk(uint64_t inode, uint32_t index = 0) {
    ASSERT_EQ(cluster_.Write(kA, {InodeId(inode), index}, 0, Block('a'), ++sequence_)->code(),
              ErrorCode::kOk);
  }
  Result<v1::ListStoredResponse> List(uint64_t after_inode, uint32_t after_index, uint32_t limit) {
    v1::ListStoredRequest request;
    request.set_after_inode(after_inode);
    request.set_after_index(after_index);
    request.set_limit(limit);
    ASSIGN_OR_RETURN(const RawReply reply,
                     cluster_.Call(kA, v1::CHUNK_LIST_STORED, request)->Get());
    return reply.Parse<v1::ListStoredResponse>();
  }
  Result<uint32_t> SetAside(ChunkId id, PgId group = kGroup,
                            Duration patience = std::chrono::seconds(10)) {
    v1::SetAsideRequest request;
    v1::StoredChunk& chunk = *request.add_chunks();
    chunk.set_inode(id.inode.value);
    chunk.set_index(id.index);
    chunk.set_group(group.value);
    ASSIGN_OR_RETURN(
        const RawReply reply,
        cluster_.Call(kA, v1::CHUNK_SET_ASIDE, request, {}, ServerId(), patience)->Get());
    ASSIGN_OR_RETURN(const auto response, reply.Parse<v1::SetAsideResponse>());
    return response.set_aside();
  }
  static ErrorCode CodeOf(const Result<uint32_t>& result) {
    return result.has_value() ? ErrorCode::kOk : result.error().code();
  }

  ReplicationCluster cluster_;
  uint64_t sequence_ = 0;
};

TEST_F(RuleC11FsckPath, ListsWhatIsStoredPageByPage) {
  for (const uint64_t inode : {5, 6, 9}) WriteChunk(inode);
  WriteChunk(6, 3);
  const auto first = List(0, 0, 2);
  ASSERT_TRUE(first.has_value());
  ASSERT_EQ(first->chunks_size(), 2);
  EXPECT_FALSE(first->end());
  EXPECT_EQ(first->chunks(1).inode(), 6u);
  EXPECT_EQ(first->chunks(1).group(), kGroup.value);
  EXPECT_EQ(first->chunks(1).bytes(), uint64_t{kBlockSize});
  const auto rest = List(6, 0, 3);
  ASSERT_TRUE(rest.has_value());
  ASSERT_EQ(rest->chunks_size(), 2);
  EXPECT_TRUE(rest->end());
  EXPECT_EQ(rest->chunks(0).index(), 3u);
  EXPECT_EQ(List(6, UINT32_MAX, 10)->chunks_size(), 1) << "all of inode 6 is passed over";
}

TEST_F(RuleC11FsckPath, AServerWithoutALeaseListsAndSetsAsideNothing) {
  WriteChunk(5);
  cluster_.store(kA).SealAll();
  cluster_.table(kA).Revoke("test");
  EXPECT_EQ(List(0, 0, 2).error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(CodeOf(SetAside(kChunk)), ErrorCode::kUnavailable);
  EXPECT_TRUE(cluster_.store(kA).Has(kChunk));
}

TEST_F(RuleC11FsckPath, AChunkIsSetAsideHereAloneAndOnce) {
  WriteChunk(5);
  cluster_.store(kA).SealAll();
  EXPECT_EQ(*SetAside(kChunk), 1u);
  EXPECT_FALSE(cluster_.store(kA).Has(kChunk));
  EXPECT_TRUE(cluster_.store(kB).Has(kChunk));
  EXPECT_EQ(*SetAside(kChunk), 0u);
}

TEST_F(RuleC11FsckPath, AChunkThatWasWrittenAMomentAgoStays) {
  WriteChunk(5);
  EXPECT_EQ(CodeOf(SetAside(kChunk)), ErrorCode::kBusy);
  EXPECT_TRUE(cluster_.store(kA).Has(kChunk));
}

TEST_F(RuleC11FsckPath, AWriteInFlightKeepsTheChunk) {
  WriteChunk(5);
  cluster_.store(kA).SealAll();
  cluster_.network().Hold(kA, kB, v1::CHUNK_REPLICATE);
  const AnswerPtr write = cluster_.Write(kA, kChunk, 0, Block('b'), ++sequence_);
  ASSERT_TRUE(Eventually([&] { return cluster_.network().Held(kA, kB) == 1; }));
  EXPECT_EQ(CodeOf(SetAside(kChunk, kGroup, std::chrono::milliseconds(100))), ErrorCode::kBusy);
  cluster_.network().ReleaseAll();
  EXPECT_EQ(write->code(), ErrorCode::kOk);
  EXPECT_TRUE(cluster_.store(kA).Has(kChunk));
}

TEST_F(RuleC11FsckPath, APrimaryThatIsStillComparingKeepsTheChunk) {
  WriteChunk(5);
  cluster_.store(kA).SealAll();
  cluster_.HoldActivations(true);
  cluster_.SetGroup({{kA}});
  EXPECT_EQ(CodeOf(SetAside(kChunk)), ErrorCode::kBusy);
  cluster_.HoldActivations(false);
  cluster_.WaitReady(kA);
  EXPECT_EQ(*SetAside(kChunk), 1u);
}

TEST_F(RuleC11FsckPath, AGroupThatIsNotKnownHereHasNothingToCompare) {
  EXPECT_EQ(*SetAside(kChunk, PgId(77)), 0u);
}

// What was remembered of the chunk is forgotten with it.
TEST_F(RuleC11FsckPath, TheIdMayBeWrittenAgainAfterwards) {
  WriteChunk(5);
  cluster_.store(kA).SealAll();
  cluster_.store(kB).SealAll();
  ASSERT_EQ(*SetAside(kChunk), 1u);
  WriteChunk(5);
  EXPECT_EQ(cluster_.store(kA).Bytes(kChunk), Block('a'));
  EXPECT_EQ(cluster_.store(kB).Bytes(kChunk), Block('a'));
}

}  // namespace
}  // namespace cairn
