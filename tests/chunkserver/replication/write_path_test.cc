#include "chunkserver/replication/write_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "absl/synchronization/notification.h"
#include "tests/chunkserver/replication/replication_cluster.h"

namespace cairn {
namespace {

class WritePathTest : public testing::Test {
 protected:
  void ServeByAll() {
    cluster_.SetGroup({{kA}, {kB}, {kC}}, 2);
    cluster_.WaitReady(kA);
  }
  ReplicationCluster cluster_;
};

TEST_F(WritePathTest, ReachesEveryActiveMemberBeforeItIsAnswered) {
  ServeByAll();
  EXPECT_EQ(cluster_.Write(kA, kChunk, 100, "hello", 1)->code(), ErrorCode::kOk);
  for (const ServerId server : {kA, kB, kC}) {
    EXPECT_EQ(cluster_.store(server).Bytes(kChunk).substr(100, 5), "hello");
  }
}

TEST_F(WritePathTest, SaysWhetherADiskOfTheGroupIsNearlyFull) {
  ServeByAll();
  const auto near_full = [&](uint64_t sequence) {
    const auto reply = cluster_.Write(kA, kChunk, 0, Block('x'), sequence)->Get();
    return reply.has_value() && reply->Parse<v1::WriteChunkResponse>()->near_full();
  };
  EXPECT_FALSE(near_full(1));
  cluster_.store(kB).SetAvailable((uint64_t{1} << 40) / 20);  // a member's, and of it 95 % is used
  uint64_t sequence = 1;
  EXPECT_TRUE(Eventually([&] { return near_full(++sequence); }));
  cluster_.store(kB).SetAvailable(uint64_t{1} << 40);
  EXPECT_TRUE(Eventually([&] { return !near_full(++sequence); }));
  cluster_.store(kA).SetAvailable((uint64_t{1} << 40) / 20);  // the primary's own
  EXPECT_TRUE(Eventually([&] { return near_full(++sequence); }));
}

TEST_F(WritePathTest, IsRefusedUnderAnotherEpochOlderOrNewer) {
  ServeByAll();
  const uint64_t now = cluster_.epoch();
  EXPECT_EQ(cluster_.Write(kA, kChunk, 0, Block('x'), 1, now - 1)->code(), ErrorCode::kStaleEpoch);
  EXPECT_EQ(cluster_.Write(kA, kChunk, 0, Block('x'), 1, now + 1)->code(), ErrorCode::kStaleEpoch);
  EXPECT_FALSE(cluster_.store(kA).Has(kChunk));
}

TEST_F(WritePathTest, ThatDoesNotMatchItsCrcsIsRefusedAndChangesNothing) {
  ServeByAll();
  v1::WriteChunkRequest request;
  *request.mutable_chunk() = cluster_.Address(kChunk);
  request.add_crcs(12345);
  EXPECT_EQ(cluster_.Call(kA, v1::CHUNK_WRITE, request, Payload::CopyOf(Block('x')))->code(),
            ErrorCode::kCorruption);
  for (const ServerId server : {kA, kB, kC}) EXPECT_FALSE(cluster_.store(server).Has(kChunk));
}

TEST(RuleC1, NeitherReadsNorWritesAreServedOnceTheLeaseHasRunOut) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}, {kC}});
  cluster.WaitReady(kA);
  ASSERT_EQ(cluster.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  cluster.clock().Advance(timing::kChunkLease);
  EXPECT_EQ(cluster.Write(kA, kChunk, 0, Block('y'), 2)->code(), ErrorCode::kUnavailable);
  EXPECT_EQ(cluster.Read(kA, kChunk, 0, kBlockSize)->code(), ErrorCode::kUnavailable);
  EXPECT_EQ(cluster.store(kB).Bytes(kChunk), Block('x'));
}

TEST(RuleC1, AMemberWithoutLeaseTakesNoWriteFromItsPrimary) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  cluster.table(kB).Revoke("it may not serve");
  const AnswerPtr write = cluster.Write(kA, kChunk, 0, Block('x'), 1);
  ASSERT_TRUE(Eventually([&] { return cluster.store(kA).Has(kChunk); }));
  EXPECT_FALSE(write->done());
  EXPECT_FALSE(cluster.store(kB).Has(kChunk));
  cluster.SetGroup({{kA}, {kB, false}});
  EXPECT_EQ(write->code(), ErrorCode::kOk);
}

TEST(RuleC2, AServerThatWasRestartedServesNothingInItsOldPlace) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}, {kC}});
  cluster.WaitReady(kA);
  ASSERT_EQ(cluster.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  cluster.Kill(kA);
  cluster.Start(kA);
  cluster.Publish();
  EXPECT_EQ(cluster.Write(kA, kChunk, 0, Block('y'), 2)->code(), ErrorCode::kNotPrimary);
  EXPECT_EQ(cluster.Read(kA, kChunk, 0, kBlockSize)->code(), ErrorCode::kNotPrimary);
}

TEST(RuleC7, AWriteThatAMemberMissesWaitsUntilAnEpochRemovesIt) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}, {kC}});
  cluster.WaitReady(kA);
  cluster.Kill(kC);
  const AnswerPtr write = cluster.Write(kA, kChunk, 0, Block('x'), 1);
  ASSERT_TRUE(Eventually([&] { return cluster.store(kB).Has(kChunk); }));
  EXPECT_FALSE(write->done());
  cluster.SetGroup({{kA}, {kB}, {kC, false}});
  EXPECT_EQ(write->code(), ErrorCode::kOk);
}

TEST(RuleC7, AWriteWhoseAnswerWasLostIsSentAgainAndAppliedOnce) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}, {kC}});
  cluster.WaitReady(kA);
  cluster.network().LoseAnswers(kA, kB, v1::CHUNK_REPLICATE, 3);
  EXPECT_EQ(cluster.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  EXPECT_EQ(cluster.store(kB).write_count(), 1);
}

TEST(RuleC7, WritesThatFailedAtAMemberReachItInTheirOrder) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  cluster.network().Cut(kA, kB);
  std::vector<AnswerPtr> writes;
  for (int i = 0; i < 20; ++i) {
    writes.push_back(cluster.Write(kA, kChunk, 0, Block(static_cast<char>('a' + i)),
                                   static_cast<uint64_t>(i + 1)));
  }
  cluster.network().Cut(kA, kB, false);
  for (const AnswerPtr& write : writes) EXPECT_EQ(write->code(), ErrorCode::kOk);
  EXPECT_EQ(cluster.store(kB).Bytes(kChunk), Block('a' + 19));
}

TEST(RuleC7, AMemberThatSaysItCannotIsReported) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  cluster.store(kB).FailWrites(Status(ErrorCode::kInvalidArgument, "not of this chunk"));
  const AnswerPtr write = cluster.Write(kA, kChunk, 0, Block('x'), 1);
  ASSERT_TRUE(Eventually([&] { return !cluster.reports().empty(); }));
  EXPECT_EQ(cluster.reports()[0].accused(), kB.value);
  EXPECT_EQ(cluster.reports()[0].fault(), v1::FAULT_ANSWERED_ERROR);
  EXPECT_FALSE(write->done());
  cluster.store(kB).FailWrites(OkStatus());
  EXPECT_EQ(write->code(), ErrorCode::kOk);
}

TEST(RuleC7, OnlyTheMembersCopyOfAWriteMayUseTheReserve) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  std::map<ServerId, bool> ordered;
  for (const ServerId server : {kA, kB}) {
    cluster.store(server).OnWrite(
        [&ordered, server](const ChunkWrite& write) { ordered[server] = write.ordered; });
  }
  ASSERT_EQ(cluster.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  EXPECT_EQ(ordered, (std::map<ServerId, bool>{{kA, false}, {kB, true}}));
}

TEST(RuleC7, AMemberWithoutRoomStaysAndGetsTheWriteOnceThereIsRoom) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  cluster.store(kB).SetAvailable(0);
  cluster.store(kB).FailWrites(Status(ErrorCode::kNoSpace, "full"));
  const AnswerPtr write = cluster.Write(kA, kChunk, 0, Block('x'), 1);
  uint64_t sequence = 2;
  ASSERT_TRUE(Eventually([&] {
    const ChunkId other{InodeId(100 + sequence), 0};
    const AnswerPtr later = cluster.Write(kA, other, 0, Block('y'), sequence++);
    return later->done() && later->code() == ErrorCode::kNoSpace;
  }));
  EXPECT_FALSE(write->done());
  cluster.store(kB).FailWrites(OkStatus());
  cluster.store(kB).SetAvailable(uint64_t{1} << 40);
  EXPECT_EQ(write->code(), ErrorCode::kOk);
}

TEST(RuleC6, AChunkMadeWhileACatchUpListsThemIsComparedBeforeItEnds) {
  ReplicationCluster cluster;
  constexpr ChunkId kOther{InodeId(6), 0};
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  ASSERT_EQ(cluster.Write(kA, kOther, 0, Block('o'), 1)->code(), ErrorCode::kOk);
  absl::Notification ordered, listed;
  cluster.store(kA).OnWrite([&](const ChunkWrite& write) {
    if (write.id != kChunk) return;
    ordered.Notify();
    listed.WaitForNotification();
  });
  AnswerPtr write;
  std::thread client([&] { write = cluster.Write(kA, kChunk, 0, Block('x'), 2); });
  ordered.WaitForNotification();
  // The comparison of the other chunk keeps the catch-up between its list and its end.
  cluster.network().Hold(kA, kC, v1::CHUNK_LIST_BLOCKS);
  cluster.SetGroup({{kA}, {kB}, {kC, false}});
  EXPECT_TRUE(Eventually([&] { return cluster.network().Held(kA, kC) > 0; }));
  listed.Notify();
  client.join();
  EXPECT_EQ(write->code(), ErrorCode::kOk);
  EXPECT_FALSE(cluster.store(kC).Has(kChunk));
  cluster.network().ReleaseAll();
  ASSERT_TRUE(Eventually([&] { return cluster.IsActive(kC); }));
  EXPECT_EQ(cluster.store(kC).Bytes(kChunk), Block('x'));
}

TEST(RuleC7, AWriteThatFailsHereIsNotOrdered) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  cluster.store(kA).FailWrites(Status(ErrorCode::kNoSpace, "full"));
  EXPECT_EQ(cluster.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kNoSpace);
  EXPECT_FALSE(cluster.store(kB).Has(kChunk));
  EXPECT_EQ(cluster.Read(kA, kChunk, 0, kBlockSize)->code(), ErrorCode::kOk);
}

TEST(RuleC8, ARetryOfTheLastWriteIsAnsweredAndNotRunAgain) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  ASSERT_EQ(cluster.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  EXPECT_EQ(cluster.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  EXPECT_EQ(cluster.store(kA).write_count(), 1);
  EXPECT_EQ(cluster.store(kB).write_count(), 1);
}

TEST(RuleC8, ARetryDuringTheWriteWaitsForItsOneRun) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  cluster.network().Hold(kA, kB, v1::CHUNK_REPLICATE);
  const AnswerPtr first = cluster.Write(kA, kChunk, 0, Block('x'), 1);
  const AnswerPtr retry = cluster.Write(kA, kChunk, 0, Block('x'), 1);
  EXPECT_FALSE(retry->done());
  cluster.network().ReleaseAll();
  EXPECT_EQ(first->code(), ErrorCode::kOk);
  EXPECT_EQ(retry->code(), ErrorCode::kOk);
  EXPECT_EQ(cluster.store(kA).write_count(), 1);
}

TEST(RuleC8, ARetryAtTheNextPrimaryIsRecognised) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}, {kC}});
  cluster.WaitReady(kA);
  ASSERT_EQ(cluster.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  cluster.Kill(kA);
  cluster.SetGroup({{kA, false}, {kB}, {kC}});
  EXPECT_EQ(cluster.Write(kB, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  EXPECT_EQ(cluster.store(kB).write_count(), 1);
}

TEST_F(WritePathTest, WhosePrimaryIsReplacedFailsForTheClientToAskTheNext) {
  ServeByAll();
  cluster_.network().Hold(kA, kC, v1::CHUNK_REPLICATE);
  const AnswerPtr write = cluster_.Write(kA, kChunk, 0, Block('x'), 1);
  cluster_.HoldSynced(true);
  cluster_.SetGroup({{kA, false}, {kB}, {kC}}, 2);
  EXPECT_EQ(write->code(), ErrorCode::kStaleEpoch);
  cluster_.network().ReleaseAll();
  EXPECT_EQ(cluster_.Write(kB, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  EXPECT_EQ(cluster_.store(kC).Bytes(kChunk), Block('x'));
}

TEST_F(WritePathTest, OverADamagedBlockMendsItFromACopyFirst) {
  ServeByAll();
  ASSERT_EQ(cluster_.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
  for (const ServerId damaged : {kA, kC}) {
    cluster_.store(damaged).Corrupt(kChunk, 0);
    const uint64_t sequence = 10 + damaged.value;
    ASSERT_EQ(cluster_.Write(kA, kChunk, 100, "yy", sequence)->code(), ErrorCode::kOk);
    std::string expected = Block('x');
    expected.replace(100, 2, "yy");
    for (const ServerId server : {kA, kB, kC}) {
      EXPECT_EQ(cluster_.store(server).Bytes(kChunk), expected);
    }
  }
}

}  // namespace
}  // namespace cairn
