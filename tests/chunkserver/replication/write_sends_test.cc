#include <gtest/gtest.h>

#include "tests/chunkserver/replication/replication_cluster.h"

namespace cairn {
namespace {

// Rules C6, C9: B was there when the chunk was trimmed. The primary was still catching up, C was
// started since; and then comes a write that does not know of the cut.
class WriteSendsTest : public testing::Test {
 protected:
  WriteSendsTest() {
    cluster_.SetGroup({{kA}, {kB}, {kC}});
    cluster_.WaitReady(kA);
  }
  void TrimAtB(uint64_t generation, uint64_t length) {
    v1::RemoveChunksRequest request;
    v1::ChunkAddress& chunk = *request.add_chunks();
    chunk = cluster_.Address(kChunk);
    chunk.set_generation(generation);
    v1::Cut& cut = *chunk.add_cuts();
    cut.set_generation(generation);
    cut.set_length(length);
    ASSERT_EQ(cluster_.Call(kB, v1::CHUNK_REMOVE, request)->code(), ErrorCode::kOk);
  }
  void ExpectOnAll(const std::string& bytes, uint64_t generation) {
    for (const ServerId server : {kA, kB, kC}) {
      EXPECT_EQ(cluster_.store(server).Bytes(kChunk), bytes) << server.value;
      EXPECT_EQ((*cluster_.store(server).Info(kChunk))->generation, generation) << server.value;
    }
  }
  ReplicationCluster cluster_;
};

TEST_F(WriteSendsTest, ATrimThatOneMemberRemembersIsMadeByAll) {
  TrimAtB(2, kBlockSize + 100);
  EXPECT_EQ(cluster_.Write(kA, kChunk, 0, Block('x') + Block('x') + Block('x'), 1)->code(),
            ErrorCode::kOk);
  ExpectOnAll(Block('x') + std::string(100, 'x') + std::string(kBlockSize - 100, '\0'), 2);
}

TEST_F(WriteSendsTest, AMemberWhoseAnswerCameBeforeMakesTheTrimToo) {
  TrimAtB(2, 100);
  cluster_.network().Hold(kA, kB, v1::CHUNK_REPLICATE);
  const AnswerPtr write = cluster_.Write(kA, kChunk, 0, Block('x'), 1);
  ASSERT_TRUE(Eventually([&] { return cluster_.store(kC).Has(kChunk); }));
  cluster_.network().ReleaseAll();
  EXPECT_EQ(write->code(), ErrorCode::kOk);
  ExpectOnAll(std::string(100, 'x') + std::string(kBlockSize - 100, '\0'), 2);
}

TEST_F(WriteSendsTest, AChunkThatATrimRemovedComesBackNowhere) {
  TrimAtB(2, 0);
  EXPECT_EQ(cluster_.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  for (const ServerId server : {kA, kB, kC}) EXPECT_FALSE(cluster_.store(server).Has(kChunk));
  EXPECT_EQ(cluster_.Write(kA, kChunk, 0, Block('x'), 2)->code(), ErrorCode::kStaleGeneration);
}

}  // namespace
}  // namespace cairn
