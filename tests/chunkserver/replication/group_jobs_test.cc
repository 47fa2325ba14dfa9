#include "chunkserver/replication/group_jobs.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>

#include "common/hash.h"
#include "tests/chunkserver/replication/replication_cluster.h"

namespace cairn {
namespace {

ChunkId Chunk(uint64_t inode) {
  return {InodeId(inode), 0};
}

uint64_t Seed() {
  const char* given = std::getenv("CAIRN_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : RandomBits();
  std::cout << "CAIRN_SEED=" << seed << std::endl;
  return seed;
}

class GroupJobsTest : public testing::Test {
 protected:
  void ServeByAAndB() {
    cluster_.SetGroup({{kA}, {kB}, {kC, false}});
    cluster_.WaitReady(kA);
  }
  void Write(ChunkId id, uint32_t offset, const std::string& bytes) {
    // The group may move on under the write: then the client asks again, as it does.
    const uint64_t sequence = ++sequence_;
    ASSERT_TRUE(Eventually(
        [&] { return cluster_.Write(kA, id, offset, bytes, sequence)->code() == ErrorCode::kOk; }));
  }
  bool BecomesActive(ServerId server) {
    return Eventually([&] { return cluster_.IsActive(server); });
  }
  void ExpectEqual(ServerId left, ServerId right, ChunkId id) {
    EXPECT_EQ(cluster_.store(left).Bytes(id), cluster_.store(right).Bytes(id));
    const auto a = *cluster_.store(left).Info(id);
    const auto b = *cluster_.store(right).Info(id);
    ASSERT_EQ(a.has_value(), b.has_value());
    if (!a.has_value()) return;
    EXPECT_EQ(a->version, b->version);
    EXPECT_EQ(a->last_sequence, b->last_sequence);
    EXPECT_EQ(a->digest, b->digest);
  }
  ReplicationCluster cluster_;
  uint64_t sequence_ = 0;
};

TEST_F(GroupJobsTest, AMemberThatWasAwayIsBroughtUpToDate) {
  cluster_.SetGroup({{kA}, {kB}, {kC}});
  cluster_.WaitReady(kA);
  for (uint64_t inode = 1; inode <= 20; ++inode) Write(Chunk(inode), 0, Block('a') + Block('b'));
  cluster_.Kill(kC);
  cluster_.SetGroup({{kA}, {kB}, {kC, false}});
  Write(Chunk(3), kBlockSize, Block('c'));
  Write(Chunk(21), 5 * kBlockSize, Block('d'));
  cluster_.Start(kC);
  cluster_.Publish();
  ASSERT_TRUE(BecomesActive(kC));
  for (uint64_t inode = 1; inode <= 21; ++inode) ExpectEqual(kA, kC, Chunk(inode));
}

TEST_F(GroupJobsTest, AChunkRemovedMeanwhileDoesNotComeBack) {
  cluster_.SetGroup({{kA}, {kB}, {kC}});
  cluster_.WaitReady(kA);
  Write(Chunk(1), 0, Block('a'));
  cluster_.Kill(kC);
  cluster_.SetGroup({{kA}, {kB}, {kC, false}});
  cluster_.WaitReady(kA);
  ASSERT_EQ(cluster_.Remove(kA, Chunk(1))->code(), ErrorCode::kOk);
  ASSERT_EQ(cluster_.Remove(kB, Chunk(1))->code(), ErrorCode::kOk);
  ASSERT_TRUE(cluster_.store(kC).Has(Chunk(1)));
  cluster_.Start(kC);
  cluster_.Publish();
  ASSERT_TRUE(BecomesActive(kC));
  EXPECT_FALSE(cluster_.store(kC).Has(Chunk(1)));
}

TEST_F(GroupJobsTest, BlocksWithEqualRowsButDoubtfulBytesAreCopied) {
  cluster_.SetGroup({{kA}, {kB}, {kC}});
  cluster_.WaitReady(kA);
  Write(Chunk(1), 0, Block('a'));
  cluster_.Kill(kC);
  cluster_.SetGroup({{kA}, {kB}, {kC, false}});
  cluster_.store(kC).MakeSuspect(Chunk(1), 0, 'z');
  cluster_.Start(kC);
  cluster_.Publish();
  ASSERT_TRUE(BecomesActive(kC));
  EXPECT_EQ(cluster_.store(kC).Bytes(Chunk(1)), Block('a'));
  EXPECT_TRUE(cluster_.store(kC).Suspects(kGroup).empty());
}

TEST_F(GroupJobsTest, AThrottledCopyHoldsAChunkForOnePieceOnly) {
  cluster_.ThrottleCopies(1);
  cluster_.Kill(kC);
  ServeByAAndB();
  std::string bytes;
  for (int block = 0; block < 128; ++block) bytes += Block('a');
  Write(Chunk(1), 0, bytes);
  cluster_.Start(kC);
  cluster_.Publish();
  // The first piece goes at once, the second in three days.
  ASSERT_TRUE(Eventually([&] { return cluster_.store(kC).Has(Chunk(1)); }));
  EXPECT_EQ((*cluster_.store(kC).Blocks(Chunk(1)))->crcs.size(), 64u);
  Write(Chunk(1), 0, Block('b'));
  EXPECT_FALSE(cluster_.IsActive(kC));
}

TEST_F(GroupJobsTest, CatchUpUnderConcurrentWritesEndsEqual) {
  std::mt19937_64 random(Seed());
  ServeByAAndB();
  for (uint64_t inode = 1; inode <= 50; ++inode) Write(Chunk(inode), 0, Block('0'));
  cluster_.Kill(kC);
  // A write that may meet the dead member while it is still in the group.
  const AnswerPtr write = cluster_.Write(kA, Chunk(1), 0, Block('m'), ++sequence_);
  cluster_.SetGroup({{kA}, {kB}, {kC, false}});
  (void)write->Get();
  cluster_.Start(kC);
  cluster_.Publish();
  for (int i = 0; i < 400 || !cluster_.IsActive(kC); ++i) {
    ASSERT_LT(i, 200000);
    const uint64_t inode = 1 + random() % 60;
    const auto offset = static_cast<uint32_t>(random() % (8 * kBlockSize));
    const std::string bytes(1 + random() % 9000, static_cast<char>('a' + random() % 26));
    Write(Chunk(inode), offset, bytes);
  }
  for (uint64_t inode = 1; inode <= 60; ++inode) {
    ExpectEqual(kA, kB, Chunk(inode));
    ExpectEqual(kA, kC, Chunk(inode));
  }
}

TEST_F(GroupJobsTest, AMemberThatFailsDuringCatchUpDelaysNoWriteAndIsTriedAgain) {
  ServeByAAndB();
  ASSERT_TRUE(BecomesActive(kC));
  cluster_.network().Cut(kA, kC);
  cluster_.SetGroup({{kA}, {kB}, {kC, false}});
  Write(Chunk(1), 0, Block('a'));
  cluster_.network().Cut(kA, kC, false);
  ASSERT_TRUE(BecomesActive(kC));
  ExpectEqual(kA, kC, Chunk(1));
}

TEST(RuleC4, AMemberIsAnnouncedOnlyOnceEverythingCopiedIsDurable) {
  ReplicationCluster cluster;
  std::atomic<int> announced = 0;
  std::atomic<bool> durable = true;
  cluster.OnSynced([&](ServerId member) {
    for (uint64_t inode = 1; inode <= 5; ++inode) {
      if (!cluster.store(member).IsDurable(Chunk(inode))) durable = false;
    }
    ++announced;
  });
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  for (uint64_t inode = 1; inode <= 5; ++inode) {
    ASSERT_EQ(cluster.Write(kA, Chunk(inode), 0, Block('a'), inode)->code(), ErrorCode::kOk);
  }
  cluster.SetGroup({{kA}, {kB}, {kC, false}});
  ASSERT_TRUE(Eventually([&] { return cluster.IsActive(kC); }));
  EXPECT_EQ(announced, 1);
  EXPECT_TRUE(durable);
}

TEST(RuleC4, AnFsyncIncludesAMemberThatMayBecomeActiveAtAnyMoment) {
  ReplicationCluster cluster;
  std::atomic<bool> announced = false;
  cluster.OnSynced([&](ServerId) { announced = true; });
  cluster.HoldSynced(true);
  cluster.SetGroup({{kA}, {kC, false}});
  ASSERT_TRUE(Eventually([&] { return announced.load(); }));
  ASSERT_EQ(cluster.Write(kA, Chunk(1), 0, Block('a'), 1)->code(), ErrorCode::kOk);
  ASSERT_EQ(cluster.Sync(kA, Chunk(1))->code(), ErrorCode::kOk);
  EXPECT_FALSE(cluster.IsActive(kC));
  EXPECT_TRUE(cluster.store(kC).IsDurable(Chunk(1)));
  cluster.HoldSynced(false);
  EXPECT_TRUE(Eventually([&] { return cluster.IsActive(kC); }));
}

TEST(RuleC6, ANewPrimaryMakesTheOthersEqualBeforeItServes) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}, {kC}});
  cluster.WaitReady(kA);
  ASSERT_EQ(cluster.Write(kA, Chunk(1), 0, Block('o'), 1)->code(), ErrorCode::kOk);
  // Two writes that only B, or only C, has when their primary dies; neither is acknowledged.
  cluster.network().Cut(kA, kC);
  (void)cluster.Write(kA, Chunk(1), 0, Block('b'), 2);
  ASSERT_TRUE(Eventually([&] { return cluster.store(kB).Bytes(Chunk(1)) == Block('b'); }));
  cluster.network().Cut(kA, kB);
  cluster.network().Cut(kA, kC, false);
  (void)cluster.Write(kA, Chunk(2), 0, Block('c'), 3);
  ASSERT_TRUE(Eventually([&] { return cluster.store(kC).Has(Chunk(2)); }));
  cluster.Kill(kA);
  cluster.SetGroup({{kA, false}, {kB}, {kC}});
  const Result<RawReply> read = cluster.Read(kB, Chunk(1), 0, kBlockSize)->Get();
  ASSERT_TRUE(read.has_value());
  const std::string seen(read->payload.view());
  EXPECT_EQ(cluster.store(kC).Bytes(Chunk(1)), seen);
  EXPECT_EQ(cluster.store(kB).Has(Chunk(2)), cluster.store(kC).Has(Chunk(2)));
}

TEST(RuleC6, WhatOnlyOneActiveMemberHasIsCopiedAndNotRemoved) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}, {kC}});
  cluster.WaitReady(kA);
  ASSERT_EQ(cluster.Write(kA, Chunk(1), 0, Block('x'), 1)->code(), ErrorCode::kOk);
  cluster.Kill(kA);
  ASSERT_TRUE(cluster.store(kA).Drop(Chunk(1)).ok());
  ASSERT_TRUE(cluster.store(kB).Drop(Chunk(1)).ok());
  cluster.Start(kA);
  cluster.SetGroup({{kA}, {kB}, {kC}});
  const Result<RawReply> read = cluster.Read(kA, Chunk(1), 0, kBlockSize, true)->Get();
  ASSERT_TRUE(read.has_value()) << read.error().ToString();
  EXPECT_EQ(read->payload.view(), Block('x'));
  EXPECT_EQ(cluster.store(kB).Bytes(Chunk(1)), Block('x'));
  EXPECT_EQ(cluster.store(kC).Bytes(Chunk(1)), Block('x'));
}

TEST(RuleC6, AChunkWhoseOnlyCopyIsDamagedIsLeftAloneAndTheGroupServes) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  ASSERT_EQ(cluster.Write(kA, Chunk(1), 0, Block('x'), 1)->code(), ErrorCode::kOk);
  cluster.Kill(kA);
  ASSERT_TRUE(cluster.store(kA).Drop(Chunk(1)).ok());
  cluster.store(kB).Corrupt(Chunk(1), 0);
  cluster.Start(kA);
  cluster.SetGroup({{kA}, {kB}});
  EXPECT_EQ(cluster.Read(kA, Chunk(2), 0, kBlockSize)->code(), ErrorCode::kOk);
  EXPECT_EQ(cluster.Read(kA, Chunk(1), 0, kBlockSize, true)->code(), ErrorCode::kIoError);
  EXPECT_TRUE(cluster.store(kB).Has(Chunk(1)));
}

TEST(TakeOverTest, IsNotKeptWaitingByCatchUpsOfAMemberThatHangs) {
  ReplicationCluster cluster;
  cluster.network().Hold(kA, kC, v1::CHUNK_BEGIN_CATCH_UP);
  v1::ClusterMap others;
  constexpr int kGroups = 8;
  for (uint32_t id = 100; id < 100 + kGroups; ++id) {
    v1::PlacementGroup& group = *others.add_groups();
    group.set_id(id);
    group.set_epoch(1);
    group.set_activated_epoch(1);
    v1::Member& own = *group.add_members();
    own.set_server(kA.value);
    own.set_state(v1::MEMBER_ACTIVE);
    own.set_incarnation(1);
    v1::Member& hung = *group.add_members();
    hung.set_server(kC.value);
    hung.set_state(v1::MEMBER_SYNCING);
  }
  cluster.table(kA).Apply(others, false);
  ASSERT_TRUE(Eventually([&] { return cluster.network().Held(kA, kC) >= 4; }));
  cluster.SetGroup({{kA}, {kB}});
  EXPECT_EQ(cluster.Read(kA, Chunk(1), 0, kBlockSize, false, std::chrono::seconds(1))->code(),
            ErrorCode::kOk);
}

TEST(TakeOverTest, AMemberThatDoesNotAnswerIsReportedAndGivenUpSoon) {
  ReplicationCluster cluster;
  cluster.network().Hold(kA, kB, v1::CHUNK_LIST_CHUNKS);
  cluster.SetGroup({{kA}, {kB}});
  ASSERT_TRUE(Eventually([&] { return !cluster.reports().empty(); }));
  EXPECT_EQ(cluster.reports()[0].accused(), kB.value);
  EXPECT_EQ(cluster.reports()[0].fault(), v1::FAULT_UNREACHABLE);
  cluster.SetGroup({{kA}});
  EXPECT_EQ(cluster.Read(kA, Chunk(1), 0, kBlockSize, false, std::chrono::seconds(4))->code(),
            ErrorCode::kOk);
}

TEST(RuleC6, AFrameOfTheOldPrimaryThatComesLateChangesNothing) {
  ReplicationCluster cluster;
  cluster.SetGroup({{kA}, {kB}, {kC}});
  cluster.WaitReady(kA);
  cluster.network().Hold(kA, kC, v1::CHUNK_REPLICATE);
  (void)cluster.Write(kA, Chunk(1), 0, Block('o'), 1);
  ASSERT_TRUE(Eventually([&] { return cluster.network().Held(kA, kC) > 0; }));
  cluster.HoldSynced(true);
  cluster.SetGroup({{kA, false}, {kB}, {kC}});
  ASSERT_EQ(cluster.Write(kB, Chunk(1), 0, Block('n'), 2)->code(), ErrorCode::kOk);
  cluster.network().ReleaseAll();
  ASSERT_TRUE(Eventually([&] { return cluster.network().Held(kA, kC) == 0; }));
  EXPECT_EQ(cluster.Write(kB, Chunk(1), kBlockSize, Block('m'), 3)->code(), ErrorCode::kOk);
  EXPECT_EQ(cluster.store(kC).Bytes(Chunk(1)), Block('n') + Block('m'));
}

TEST(HealTest, ASuspectBlockIsCopiedFromAMemberThatHasItAsItWas) {
  ReplicationCluster cluster;
  cluster.HoldSynced(true);
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  ASSERT_EQ(cluster.Write(kA, Chunk(1), 0, Block('a') + Block('b'), 1)->code(), ErrorCode::kOk);
  cluster.Kill(kA);
  cluster.store(kA).MakeSuspect(Chunk(1), 1, 'z');
  cluster.Start(kA);
  cluster.SetGroup({{kA}, {kB, false}});
  const Result<RawReply> read = cluster.Read(kA, Chunk(1), 0, 2 * kBlockSize)->Get();
  ASSERT_TRUE(read.has_value()) << read.error().ToString();
  EXPECT_EQ(read->payload.view(), Block('a') + Block('b'));
  EXPECT_EQ(cluster.store(kA).Counters().adopted_blocks, 0u);
}

TEST(HealTest, ACopyThatCouldNotBeFetchedIsNoReasonToAdopt) {
  ReplicationCluster cluster;
  cluster.HoldSynced(true);
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  ASSERT_EQ(cluster.Write(kA, Chunk(1), 0, Block('a'), 1)->code(), ErrorCode::kOk);
  cluster.Kill(kA);
  cluster.store(kA).MakeSuspect(Chunk(1), 0, 'z');
  cluster.Start(kA);
  cluster.network().LoseAnswers(kA, kB, v1::CHUNK_FETCH_BLOCKS, 1);
  cluster.SetGroup({{kA}, {kB, false}});
  const Result<RawReply> read = cluster.Read(kA, Chunk(1), 0, kBlockSize)->Get();
  ASSERT_TRUE(read.has_value()) << read.error().ToString();
  EXPECT_EQ(read->payload.view(), Block('a'));
  EXPECT_EQ(cluster.store(kA).Counters().adopted_blocks, 0u);
}

TEST(HealTest, ASuspectBlockThatMatchesNowhereIsAdoptedAndCounted) {
  ReplicationCluster cluster;
  cluster.HoldSynced(true);
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  ASSERT_EQ(cluster.Write(kA, Chunk(1), 0, Block('a'), 1)->code(), ErrorCode::kOk);
  cluster.Kill(kA);
  cluster.Kill(kB);
  cluster.store(kA).MakeSuspect(Chunk(1), 0, 'z');
  cluster.Start(kA);
  cluster.SetGroup({{kA}, {kB, false}});
  const Result<RawReply> read = cluster.Read(kA, Chunk(1), 0, kBlockSize)->Get();
  ASSERT_TRUE(read.has_value()) << read.error().ToString();
  EXPECT_EQ(read->payload.view(), Block('z'));
  EXPECT_EQ(cluster.store(kA).Counters().adopted_blocks, 1u);
}

// Rule C8: what the last request wrote may be what was healed away, so its retry is run.
TEST(HealTest, WhatIsHealedWithOtherBytesForgetsTheLastRequest) {
  ReplicationCluster cluster;
  cluster.HoldSynced(true);
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  const std::string bytes = Block('a') + Block('b');
  ASSERT_EQ(cluster.Write(kA, Chunk(1), 0, bytes, 1)->code(), ErrorCode::kOk);
  cluster.Kill(kA);
  cluster.store(kA).MakeSuspect(Chunk(1), 0, 'z');
  cluster.store(kA).MakeSuspect(Chunk(1), 1, 'z');
  cluster.store(kB).Diverge(Chunk(1), 0, 'o');  // it had adopted what was there before
  cluster.Start(kA);
  cluster.SetGroup({{kA}, {kB, false}});
  EXPECT_EQ(cluster.Read(kA, Chunk(1), 0, kBlockSize)->Get()->payload.view(), Block('o'));
  EXPECT_EQ(cluster.Write(kA, Chunk(1), 0, bytes, 1)->code(), ErrorCode::kOk);
  EXPECT_EQ(cluster.store(kA).Bytes(Chunk(1)), bytes);
}

TEST(HealTest, AMemberLeftBehindLongAgoIsNoSourceForASuspectBlock) {
  ReplicationCluster cluster;
  cluster.HoldSynced(true);
  cluster.SetGroup({{kA}, {kB}});
  cluster.WaitReady(kA);
  ASSERT_EQ(cluster.Write(kA, Chunk(1), 0, Block('a'), 1)->code(), ErrorCode::kOk);
  cluster.Kill(kB);
  cluster.SetGroup({{kA}, {kB, false}});
  ASSERT_EQ(cluster.Write(kA, Chunk(1), 0, Block('n'), 2)->code(), ErrorCode::kOk);
  cluster.Kill(kA);
  cluster.store(kA).MakeSuspect(Chunk(1), 0, 'm');
  cluster.Start(kA);
  cluster.Start(kB);
  cluster.SetGroup({{kA}, {kB, false}});
  const Result<RawReply> read = cluster.Read(kA, Chunk(1), 0, kBlockSize)->Get();
  ASSERT_TRUE(read.has_value()) << read.error().ToString();
  EXPECT_EQ(read->payload.view(), Block('m'));
}

}  // namespace
}  // namespace cairn
