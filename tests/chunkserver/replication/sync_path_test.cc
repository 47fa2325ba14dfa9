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
  // As a client does: where a member caught up meanwhile it asks again under the new epoch.
  ErrorCode SyncAsClients(uint64_t oldest_write_epoch) {
    ErrorCode code = ErrorCode::kStaleEpoch;
    EXPECT_TRUE(Eventually([&] {
      code = cluster_.Sync(kA, kChunk, oldest_write_epoch)->code();
      return code != ErrorCode::kStaleEpoch;
    }));
    return code;
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

// Decision 0006.
TEST_F(SyncPathTest, RuleC3IsAnErrorIfPowerWasLostSinceTheWrite) {
  const uint64_t written = cluster_.epoch();
  ASSERT_EQ(cluster_.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  cluster_.SetGroup({{kA}, {kB}, {kC, false}});  // an epoch between changes nothing
  // A member that caught up meanwhile may have begun one more.
  const uint64_t lost = cluster_.SetGroupAfterPowerLoss({{kA}, {kB, false}, {kC, false}});
  cluster_.WaitReady(kA);
  EXPECT_EQ(SyncAsClients(written), ErrorCode::kIoError);
  EXPECT_EQ(SyncAsClients(lost - 1), ErrorCode::kIoError);
  EXPECT_EQ(SyncAsClients(lost), ErrorCode::kOk);
  cluster_.SetGroup({{kA}, {kB}, {kC, false}});  // is known for ever
  cluster_.WaitReady(kA);
  EXPECT_EQ(SyncAsClients(written), ErrorCode::kIoError);
}

TEST_F(SyncPathTest, AnyChunkThatMayHaveLostSomethingIsAnError) {
  const uint64_t written = cluster_.epoch();
  cluster_.SetGroupAfterPowerLoss({{kA}, {kB}, {kC}});
  cluster_.WaitReady(kA);
  v1::SyncChunksRequest request;
  for (const uint32_t index : {0u, 1u}) {
    *request.add_chunks() = cluster_.Address({kChunk.inode, index});
    request.add_oldest_write_epochs(index == 0 ? cluster_.epoch() : written);
  }
  EXPECT_EQ(cluster_.Call(kA, v1::CHUNK_SYNC, request)->code(), ErrorCode::kIoError);
}

// It was cut off, the others went on and lost power, and it leads again before it gave up.
TEST_F(SyncPathTest, RuleC3OneThatIsUnderWayWhenPowerIsLostIsAnError) {
  ASSERT_EQ(cluster_.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  cluster_.network().Hold(kA, kB, v1::CHUNK_SYNC_REPLICA);
  const AnswerPtr sync = cluster_.Sync(kA, kChunk);
  ASSERT_TRUE(Eventually([&] { return cluster_.store(kC).IsDurable(kChunk); }));
  EXPECT_FALSE(sync->done());
  cluster_.SetGroupAfterPowerLoss({{kA}, {kB}, {kC}});
  cluster_.network().ReleaseAll();
  EXPECT_EQ(sync->code(), ErrorCode::kIoError);
}

TEST_F(SyncPathTest, IsRefusedIfItDoesNotSayHowOldItsWritesAre) {
  v1::SyncChunksRequest request;
  *request.add_chunks() = cluster_.Address(kChunk);
  EXPECT_EQ(cluster_.Call(kA, v1::CHUNK_SYNC, request)->code(), ErrorCode::kInvalidArgument);
}

TEST_F(SyncPathTest, IsRefusedByOneThatIsNotThePrimary) {
  EXPECT_EQ(cluster_.Sync(kB, kChunk)->code(), ErrorCode::kNotPrimary);
}

}  // namespace
}  // namespace cairn
