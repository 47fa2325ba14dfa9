#include "metaserver/operations/runs.h"

#include <algorithm>
#include <random>
#include <set>

#include "tests/metaserver/operations/namespace.h"
#include "tests/metaserver/seed.h"

namespace cairn::testing {

namespace {

TEST(RunsTest, RuleC10RunsEqualASetOfChunksWhateverIsAddedAndCut) {
  std::mt19937_64 random(TestSeed());
  ChunkRuns runs;
  std::set<uint64_t> chunks;
  for (int step = 0; step < 3000; ++step) {
    const uint64_t first = random() % 60;
    const uint64_t end = first + random() % 8;
    if (random() % 8 == 0) {
      CutRuns(runs, first);
      chunks.erase(chunks.lower_bound(first), chunks.end());
    } else {
      const size_t before = chunks.size();
      for (uint64_t chunk = first; chunk < end; ++chunk) chunks.insert(chunk);
      ASSERT_EQ(AddRun(runs, first, end), chunks.size() != before);
    }
    std::set<uint64_t> held;
    uint64_t free_from = 0;
    for (const v1::ChunkRun& run : runs) {
      ASSERT_TRUE(held.empty() || run.first() > free_from) << "adjacent or out of order";
      free_from = uint64_t{run.first()} + run.count();
      for (uint64_t chunk = run.first(); chunk < free_from; ++chunk) held.insert(chunk);
    }
    ASSERT_EQ(held, chunks);
    ASSERT_EQ(EndOfRuns(runs), chunks.empty() ? 0 : *chunks.rbegin() + 1);
    ChunkRuns both = RunsFrom(runs, first);
    ChunkRuns below = runs;
    CutRuns(below, first);
    AddRuns(both, below);
    ASSERT_EQ(both.size(), runs.size());
    ASSERT_EQ(EndOfRuns(both), EndOfRuns(runs));
  }
}

TEST(RunsTest, TheLastChunkFits) {
  v1::ChunkRun run;
  run.set_first(0);
  run.set_count(UINT32_MAX);
  EXPECT_TRUE(CheckRun(run).ok());
  run.set_first(1);
  EXPECT_EQ(CheckRun(run).code(), Code::kFileTooBig);
}

}  // namespace

}  // namespace cairn::testing
