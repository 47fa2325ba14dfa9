#include "chunkserver/scrub/scrubber.h"

#include <gtest/gtest.h>

#include "tests/chunkserver/replication/replication_cluster.h"

namespace cairn {
namespace {

class ScrubberTest : public testing::Test {
 protected:
  ScrubberTest() {
    cluster_.SetGroup({{kA}, {kB}, {kC}});
    cluster_.WaitReady(kA);
    EXPECT_EQ(cluster_.Write(kA, kChunk, 0, Block('x'), 1)->code(), ErrorCode::kOk);
    EXPECT_EQ(cluster_.Write(kA, kChunk, 5 * kBlockSize, Block('y'), 2)->code(), ErrorCode::kOk);
    EXPECT_EQ(cluster_.Write(kA, kOther, 0, Block('z'), 3)->code(), ErrorCode::kOk);
  }
  // Reads all that is stored on the server once.
  v1::ScrubProgress Scrub(ServerId server, uint64_t order = 1) {
    Replica& replica = cluster_.replica(server);
    Scrubber scrubber(replica.context(), replica.repair());
    cluster_.OrderScrub(order);
    scrubber.Start();
    EXPECT_TRUE(Eventually([&] {
      const v1::ScrubProgress progress = scrubber.Progress();
      return progress.order() == order && !progress.running();
    }));
    return scrubber.Progress();
  }

  static constexpr ChunkId kOther{InodeId(6), 0};
  ReplicationCluster cluster_;
};

TEST_F(ScrubberTest, MendsEveryBadBlockOfAnyMember) {
  for (const ServerId server : {kA, kC}) {
    cluster_.store(server).Corrupt(kChunk, 0);
    cluster_.store(server).Corrupt(kChunk, 5);
    cluster_.store(server).Corrupt(kOther, 0);
    const v1::ScrubProgress progress = Scrub(server, server.value);
    EXPECT_EQ(progress.found_blocks(), 3u);
    EXPECT_EQ(progress.mended_blocks(), 3u);
    EXPECT_EQ(cluster_.store(server).Bytes(kOther), Block('z'));
    EXPECT_EQ(cluster_.store(server).Bytes(kChunk).substr(0, kBlockSize), Block('x'));
  }
  EXPECT_EQ(cluster_.Read(kA, kChunk, 0, kBlockSize)->code(), ErrorCode::kOk);
}

TEST_F(ScrubberTest, ListsABlockThatMatchesNowhereAndMendsItsNeighbours) {
  for (const ServerId server : {kA, kB, kC}) cluster_.store(server).Corrupt(kChunk, 0);
  cluster_.store(kB).Corrupt(kChunk, 5);
  const v1::ScrubProgress progress = Scrub(kB);
  EXPECT_EQ(progress.found_blocks(), 2u);
  EXPECT_EQ(progress.mended_blocks(), 1u);
  ASSERT_EQ(cluster_.replica(kB).damage().List().size(), 1u);
  EXPECT_EQ(cluster_.replica(kB).damage().List()[0].first, kChunk);
  EXPECT_EQ(cluster_.Read(kA, kChunk, 5 * kBlockSize, kBlockSize)->code(), ErrorCode::kOk);
}

TEST_F(ScrubberTest, WhatWasLostAndIsWrittenAnewIsListedNoMore) {
  for (const ServerId server : {kA, kB, kC}) cluster_.store(server).Corrupt(kOther, 0);
  Scrub(kA, 1);
  ASSERT_EQ(cluster_.replica(kA).damage().List().size(), 1u);
  ASSERT_EQ(cluster_.Write(kA, kOther, 0, Block('n'), 4)->code(), ErrorCode::kOk);
  Scrub(kA, 2);
  EXPECT_TRUE(cluster_.replica(kA).damage().List().empty());
}

TEST_F(ScrubberTest, ALostBlockThatIsWrittenAnewIsForgottenThoughItsNeighbourIsLostToo) {
  for (const ServerId server : {kA, kB, kC}) {
    cluster_.store(server).Corrupt(kChunk, 0);
    cluster_.store(server).Corrupt(kChunk, 5);
  }
  Scrub(kA, 1);
  ASSERT_EQ(cluster_.Write(kA, kChunk, 0, Block('n'), 4)->code(), ErrorCode::kOk);
  Scrub(kA, 2);
  cluster_.replica(kA).context().damage.RemoveBlocks(kChunk, 5, 6);
  EXPECT_TRUE(cluster_.replica(kA).damage().List().empty()) << "block 0 was still listed";
}

using RuleC6Scrub = ScrubberTest;

TEST_F(RuleC6Scrub, MembersOfOneVersionWithOtherBlocksAreMadeEqual) {
  cluster_.store(kB).Diverge(kChunk, 5, 'q');
  EXPECT_EQ(Scrub(kA).differing_chunks(), 1u);
  EXPECT_EQ(cluster_.store(kB).Bytes(kChunk), cluster_.store(kA).Bytes(kChunk));
}

TEST_F(RuleC6Scrub, WhatDiffersInVersionIsLeftToTheWritesThatAreOnTheirWay) {
  ASSERT_TRUE(cluster_.store(kB).Drop(kOther).ok());
  EXPECT_EQ(Scrub(kA).differing_chunks(), 0u);
  EXPECT_FALSE(cluster_.store(kB).Has(kOther));
}

TEST_F(ScrubberTest, APacedPassThatIsLateCatchesUpAndTheNextOneIsSpreadOverItsTime) {
  ScrubMark mark;
  mark.under_way = true;
  mark.started_s = 1000;
  ASSERT_TRUE(cluster_.store(kA).StoreScrubMark(mark).ok());
  Replica& replica = cluster_.replica(kA);
  cluster_.store(kA).Corrupt(kOther, 0);
  Scrubber scrubber(replica.context(), replica.repair());
  scrubber.Start();
  ASSERT_TRUE(Eventually([&] { return scrubber.Progress().seconds_since_whole() > 0; }));
  EXPECT_EQ(scrubber.Progress().found_blocks(), 1u);
  EXPECT_FALSE(scrubber.Progress().running());
  ASSERT_TRUE(Eventually([&] { return scrubber.Progress().done_bytes() == 0; }))
      << "the first piece of the next pass is due in days";
}

TEST_F(ScrubberTest, ARestartGoesOnWhereThePassWas) {
  ASSERT_TRUE(cluster_.store(kA)
                  .StoreScrubMark({.order = 1,
                                   .under_way = true,
                                   .ordered = true,
                                   .started_s = 1000,
                                   .whole_s = 0,
                                   .group = kGroup,
                                   .after = kChunk})
                  .ok());
  cluster_.store(kA).Corrupt(kChunk, 0);
  cluster_.store(kA).Corrupt(kOther, 0);
  EXPECT_EQ(Scrub(kA).found_blocks(), 1u) << "what was read before is not read again";
}

}  // namespace
}  // namespace cairn
