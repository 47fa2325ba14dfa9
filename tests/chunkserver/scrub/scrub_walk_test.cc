#include "chunkserver/scrub/scrub_walk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/chunkserver/replication/replication_cluster.h"

namespace cairn {
namespace {

using testing::ElementsAre;

class ScrubWalkTest : public testing::Test {
 protected:
  ScrubWalkTest() {
    cluster_.SetGroup({{kA}});
    cluster_.WaitReady(kA);
  }
  void Write(ChunkId id, uint32_t block) {
    ASSERT_EQ(cluster_.Write(kA, id, block * kBlockSize, Block('x'), ++sequence_)->code(),
              ErrorCode::kOk);
  }
  // "5-0+200" is 200 blocks of chunk 5-0, "." the end of the group; up to the end of the walk.
  std::vector<std::string> Rest(ScrubWalk& walk) {
    std::vector<std::string> steps;
    while (true) {
      const Result<ScrubStep> step = walk.Next();
      if (!step.has_value() || step->kind == ScrubStep::Kind::kEnd) return steps;
      steps.push_back(step->kind == ScrubStep::Kind::kGroupDone
                          ? "."
                          : fmt::format("{}-{}+{}", step->chunk.inode, step->first_block,
                                        step->count));
    }
  }
  ScrubWalk Begin() {
    ScrubWalk walk(cluster_.store(kA), cluster_.table(kA));
    walk.Refresh();
    walk.Begin(PgId(), ChunkId());
    return walk;
  }

  ReplicationCluster cluster_;
  uint64_t sequence_ = 0;
};

TEST_F(ScrubWalkTest, VisitsEveryChunkUpToItsLastBlockInPieces) {
  Write({InodeId(5), 0}, 255);
  Write({InodeId(6), 0}, 3);
  ScrubWalk walk = Begin();
  EXPECT_THAT(Rest(walk), ElementsAre("5-0+256", "6-0+4", "."));
  EXPECT_EQ(walk.done_bytes(), walk.total_bytes());
}

TEST_F(ScrubWalkTest, GoesOnBehindTheLastWholeChunk) {
  Write({InodeId(5), 0}, 0);
  Write({InodeId(6), 0}, 0);
  ScrubWalk walk = Begin();
  ASSERT_TRUE(walk.Next().has_value());
  ScrubWalk later = Begin();
  later.Begin(walk.group(), walk.after());
  EXPECT_THAT(Rest(later), ElementsAre("6-0+1", "."));
}

TEST_F(ScrubWalkTest, PassesByWhatThisServerDoesNotServe) {
  Write({InodeId(5), 0}, 0);
  cluster_.SetGroup({{kB}});
  ScrubWalk walk = Begin();
  EXPECT_TRUE(Rest(walk).empty());
  EXPECT_EQ(walk.total_bytes(), 0u);
}

}  // namespace
}  // namespace cairn
