#include "chunkserver/replication/removal_path.h"

#include <gtest/gtest.h>

#include <atomic>

#include "tests/chunkserver/replication/replication_cluster.h"

namespace cairn {
namespace {

// A and B are active; C is equal to them and the metaserver does not know it yet.
class RemovalPathTest : public testing::Test {
 protected:
  void PledgeC() {
    cluster_.OnSynced([this](ServerId) { pledged_ = true; });
    cluster_.HoldSynced(true);
    cluster_.SetGroup({{kA}, {kB}, {kC, false}});
    cluster_.WaitReady(kA);
    ASSERT_EQ(cluster_.Write(kA, kChunk, 0, Block('a'), 1)->code(), ErrorCode::kOk);
    ASSERT_TRUE(Eventually([&] { return pledged_ && cluster_.store(kC).Has(kChunk); }));
  }
  std::atomic<bool> pledged_ = false;
  ReplicationCluster cluster_;
};

TEST_F(RemovalPathTest, AMemberAboutToBecomeActiveHearsOfARemovalBeforeItIsAnswered) {
  PledgeC();
  cluster_.network().Hold(kA, kC, v1::CHUNK_REMOVE);
  const AnswerPtr removal = cluster_.Remove(kA, kChunk);
  ASSERT_TRUE(Eventually([&] { return cluster_.network().Held(kA, kC) == 1; }));
  EXPECT_FALSE(cluster_.store(kA).Has(kChunk));
  EXPECT_TRUE(cluster_.store(kC).Has(kChunk));
  EXPECT_FALSE(removal->done());
  cluster_.network().ReleaseAll();
  EXPECT_EQ(removal->code(), ErrorCode::kOk);
  EXPECT_FALSE(cluster_.store(kC).Has(kChunk));
}

TEST_F(RemovalPathTest, ARemovalThatCouldNotBePassedOnFails) {
  PledgeC();
  cluster_.network().Cut(kA, kC);
  EXPECT_EQ(cluster_.Remove(kA, kChunk)->code(), ErrorCode::kUnavailable);
  cluster_.network().Cut(kA, kC, false);
  EXPECT_EQ(cluster_.Remove(kA, kChunk)->code(), ErrorCode::kOk);
  EXPECT_FALSE(cluster_.store(kC).Has(kChunk));
}

TEST_F(RemovalPathTest, OnlyThePrimaryPassesRemovalsOn) {
  PledgeC();
  EXPECT_EQ(cluster_.Remove(kB, kChunk)->code(), ErrorCode::kOk);
  EXPECT_FALSE(cluster_.store(kB).Has(kChunk));
  EXPECT_TRUE(cluster_.store(kC).Has(kChunk));
}

// The metaserver tells them itself.
TEST_F(RemovalPathTest, ActiveMembersAreNotTold) {
  cluster_.SetGroup({{kA}, {kB}});
  cluster_.WaitReady(kA);
  ASSERT_EQ(cluster_.Write(kA, kChunk, 0, Block('a'), 1)->code(), ErrorCode::kOk);
  EXPECT_EQ(cluster_.Remove(kA, kChunk)->code(), ErrorCode::kOk);
  EXPECT_TRUE(cluster_.store(kB).Has(kChunk));
}

TEST_F(RemovalPathTest, AMemberThatIsAwayDelaysNoRemoval) {
  cluster_.SetGroup({{kA}, {kB}, {kC}});
  cluster_.WaitReady(kA);
  ASSERT_EQ(cluster_.Write(kA, kChunk, 0, Block('a'), 1)->code(), ErrorCode::kOk);
  cluster_.Kill(kC);
  cluster_.SetGroup({{kA}, {kB}, {kC, false}});
  cluster_.WaitReady(kA);
  EXPECT_EQ(cluster_.Remove(kA, kChunk)->code(), ErrorCode::kOk);
}

TEST_F(RemovalPathTest, ARemovalUnderAnOldEpochIsRefused) {
  cluster_.SetGroup({{kA}, {kB}});
  cluster_.WaitReady(kA);
  ASSERT_EQ(cluster_.Write(kA, kChunk, 0, Block('a'), 1)->code(), ErrorCode::kOk);
  v1::RemoveChunksRequest request;
  *request.add_chunks() = cluster_.Address(kChunk, cluster_.epoch() - 1);
  request.set_whole(true);
  EXPECT_EQ(cluster_.Call(kA, v1::CHUNK_REMOVE, request)->code(), ErrorCode::kStaleEpoch);
  EXPECT_TRUE(cluster_.store(kA).Has(kChunk));
}

}  // namespace
}  // namespace cairn
