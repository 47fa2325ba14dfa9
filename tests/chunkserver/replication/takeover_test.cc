#include "chunkserver/replication/takeover.h"

#include <gtest/gtest.h>

#include "common/crc32c.h"
#include "tests/chunkserver/replication/replication_cluster.h"

namespace cairn {
namespace {

// A, B and C hold one chunk of 'a'; A is their primary.
class TakeoverTest : public testing::Test {
 protected:
  TakeoverTest() {
    cluster_.SetGroup({{kA}, {kB}, {kC}});
    cluster_.WaitReady(kA);
    EXPECT_EQ(cluster_.Write(kA, kChunk, 0, Block('a'), 1)->code(), ErrorCode::kOk);
  }
  void LetCLeave() { cluster_.SetGroup({{kA}, {kB}, {kC, false, true}}); }
  // The primary has done all it can and asks for the second time.
  bool AsksAgain(int since) {
    return Eventually([&] { return cluster_.activations_asked() >= since + 2; });
  }
  AnswerPtr Read(ServerId at) { return cluster_.Read(at, kChunk, 0, kBlockSize); }
  // A chunk that was sealed long ago and differs, by a fault nobody noticed.
  void MakeDiffer(ServerId at, char content, uint64_t counter) {
    const std::string bytes = Block(content);
    const uint32_t crc = Crc32c(bytes.data(), bytes.size());
    ChunkWrite write;
    write.id = kChunk;
    write.group = kGroup;
    write.file.chunk_size = kTestChunkSize;
    write.file.generation = 1;
    write.version = {Epoch(1), counter};
    write.data = std::as_bytes(std::span(bytes));
    write.crcs = std::span(&crc, 1);
    ASSERT_TRUE(cluster_.store(at).Write(write).ok());
    cluster_.store(at).SealAll();
  }
  ReplicationCluster cluster_;
};

class RuleC3Takeover : public TakeoverTest {};

TEST_F(RuleC3Takeover, ReadWriteAndFsyncWaitUntilTheEpochIsActivated) {
  cluster_.HoldActivations(true);
  const int asked = cluster_.activations_asked();
  LetCLeave();
  const AnswerPtr read = Read(kA);
  const AnswerPtr write = cluster_.Write(kA, kChunk, 0, Block('b'), 2);
  const AnswerPtr sync = cluster_.Sync(kA, kChunk);
  ASSERT_TRUE(AsksAgain(asked));
  EXPECT_EQ(cluster_.heard(), std::vector<ServerId>{kC});
  EXPECT_FALSE(read->done());
  EXPECT_FALSE(write->done());
  EXPECT_FALSE(sync->done());
  cluster_.HoldActivations(false);
  EXPECT_EQ(read->code(), ErrorCode::kOk);
  EXPECT_EQ(write->code(), ErrorCode::kOk);
  EXPECT_EQ(sync->code(), ErrorCode::kOk);
}

TEST_F(RuleC3Takeover, ANewPrimaryServesOnlyOnceItsEpochIsActivated) {
  cluster_.HoldActivations(true);
  const int asked = cluster_.activations_asked();
  cluster_.SetGroup({{kB}, {kC}, {kA, false, true}});
  const AnswerPtr read = Read(kB);
  ASSERT_TRUE(AsksAgain(asked));
  EXPECT_FALSE(read->done());
  cluster_.HoldActivations(false);
  EXPECT_EQ(read->code(), ErrorCode::kOk);
}

// C has not answered the write; without C it would be done, but the epoch does not count yet.
TEST_F(RuleC3Takeover, AWriteInFlightWhenAMemberIsRemovedIsAnsweredAfterTheActivation) {
  cluster_.network().Hold(kA, kC, v1::CHUNK_REPLICATE);
  const AnswerPtr write = cluster_.Write(kA, kChunk, 0, Block('b'), 2);
  ASSERT_TRUE(Eventually([&] {
    return cluster_.store(kA).Bytes(kChunk) == Block('b') &&
           cluster_.store(kB).Bytes(kChunk) == Block('b');
  }));
  cluster_.HoldActivations(true);
  const int asked = cluster_.activations_asked();
  cluster_.SetGroup({{kA}, {kB}});
  ASSERT_TRUE(AsksAgain(asked));
  EXPECT_FALSE(write->done());
  cluster_.HoldActivations(false);
  EXPECT_EQ(write->code(), ErrorCode::kOk);
  cluster_.network().ReleaseAll();
}

TEST_F(TakeoverTest, ChunksThatAreEqualAreNotSentAgain) {
  int installs = 0;
  for (const ServerId server : {kA, kC}) {
    cluster_.store(server).OnInstall([&installs] { ++installs; });
  }
  cluster_.SetGroup({{kB}, {kA}, {kC}});
  cluster_.WaitReady(kB);
  EXPECT_EQ(installs, 0);
}

class RuleC1Takeover : public TakeoverTest {};

TEST_F(RuleC1Takeover, ALeavingMemberThatHasNotHeardKeepsTheGroupWaiting) {
  cluster_.network().Cut(kA, kC);
  const int asked = cluster_.activations_asked();
  LetCLeave();
  const AnswerPtr read = Read(kA);
  ASSERT_TRUE(AsksAgain(asked));
  EXPECT_TRUE(cluster_.heard().empty());
  EXPECT_FALSE(read->done());
  cluster_.network().Cut(kA, kC, false);
  EXPECT_EQ(read->code(), ErrorCode::kOk);
  EXPECT_EQ(cluster_.heard(), std::vector<ServerId>{kC});
}

TEST_F(RuleC1Takeover, AMemberThatHasLeftRefusesReadsUnderTheOldEpoch) {
  const uint64_t old_epoch = cluster_.epoch();
  ASSERT_EQ(Read(kA)->code(), ErrorCode::kOk);
  cluster_.SetGroup({{kB}, {kC}, {kA, false, true}});
  cluster_.WaitReady(kB);
  const AnswerPtr read =
      cluster_.Read(kA, kChunk, 0, kBlockSize, false, std::chrono::seconds(10), old_epoch);
  EXPECT_EQ(read->code(), ErrorCode::kStaleEpoch);
}

// A member whose map is behind cannot say that it knows the epoch.
TEST_F(RuleC1Takeover, OnlyWhoKnowsTheEpochSaysThatItHeard) {
  v1::BeginCatchUpRequest request;
  request.set_group(kGroup.value);
  request.set_only_hear(true);
  request.set_epoch(cluster_.epoch() + 1);
  EXPECT_EQ(cluster_.Call(kC, v1::CHUNK_BEGIN_CATCH_UP, request, {}, kA)->code(),
            ErrorCode::kStaleEpoch);
  request.set_epoch(cluster_.epoch());
  EXPECT_EQ(cluster_.Call(kC, v1::CHUNK_BEGIN_CATCH_UP, request, {}, kA)->code(), ErrorCode::kOk);
}

class RuleC6Takeover : public TakeoverTest {};

TEST_F(RuleC6Takeover, WithEqualSumsOnlyUnsealedChunksAreCompared) {
  for (const ServerId server : {kA, kB, kC}) cluster_.store(server).SealAll();
  const int lists[] = {cluster_.store(kA).list_count(), cluster_.store(kC).list_count()};
  cluster_.SetGroup({{kB}, {kA}, {kC}});
  ASSERT_EQ(Read(kB)->code(), ErrorCode::kOk);
  EXPECT_EQ(cluster_.store(kA).list_count(), lists[0]);
  EXPECT_EQ(cluster_.store(kC).list_count(), lists[1]);
}

TEST_F(RuleC6Takeover, WithDifferentSumsAllChunksAre) {
  for (const ServerId server : {kA, kB, kC}) cluster_.store(server).SealAll();
  MakeDiffer(kC, 'x', 999);
  const int lists = cluster_.store(kC).list_count();
  cluster_.SetGroup({{kB}, {kA}, {kC}});
  ASSERT_EQ(Read(kB)->code(), ErrorCode::kOk);
  EXPECT_GT(cluster_.store(kC).list_count(), lists);
  EXPECT_EQ(cluster_.store(kC).Bytes(kChunk), Block('a'));
  EXPECT_EQ(cluster_.store(kC).Info(kChunk).value()->version,
            cluster_.store(kB).Info(kChunk).value()->version);
}

TEST_F(RuleC6Takeover, AChunkUnsealedAtOneMemberIsComparedThoughItIsSealedHere) {
  for (const ServerId server : {kA, kB, kC}) cluster_.store(server).SealAll();
  ASSERT_EQ(cluster_.Write(kA, kChunk, 0, Block('b'), 2)->code(), ErrorCode::kOk);
  MakeDiffer(kB, 'x', 999);  // the new primary: sealed
  cluster_.SetGroup({{kB}, {kA}, {kC}});
  ASSERT_EQ(Read(kB)->code(), ErrorCode::kOk);
  EXPECT_EQ(cluster_.store(kA).Bytes(kChunk), Block('x'));
  EXPECT_EQ(cluster_.store(kC).Bytes(kChunk), Block('x'));
}

}  // namespace
}  // namespace cairn
