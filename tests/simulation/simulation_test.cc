// Seeds that once failed, then new ones. CAIRN_SEED chooses the first seed and
// CAIRN_SIMULATION_SEEDS how many; tests/simulation/README.md says how to look at one.
#include "tests/simulation/simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "tests/simulation/seeds.h"

namespace cairn::simulation {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kUsualSeeds = 40;
#else
constexpr uint64_t kUsualSeeds = 1000;
#endif

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* chosen = std::getenv(name);
  return chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : otherwise;
}

void ExpectNoViolation(const SeedRange& range) {
  const SeedTotals totals = RunSeeds(range, [](uint64_t seed, const RunResult& result) {
    EXPECT_FALSE(result.violation) << Describe(seed, result);
  });
  EXPECT_EQ(totals.runs, range.count);
  // A group that does nothing breaks no promise either.
  EXPECT_GT(totals.acknowledged, totals.runs * 50);
}

class SimulationTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { HushProduction(); }
};

TEST_F(SimulationTest, SeedsThatOnceFailedPass) {
  std::ifstream file(fmt::format("{}/regressions.txt", CAIRN_SIMULATION));
  ASSERT_TRUE(file.is_open());
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const uint64_t seed = std::strtoull(line.c_str(), nullptr, 10);
    const RunResult result = Simulation(DrawPlan(seed, 60s)).Run();
    EXPECT_FALSE(result.violation) << Describe(seed, result) << "\n  it was: " << line;
  }
}

TEST_F(SimulationTest, ASeedIsOneRun) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    const RunResult first = Simulation(DrawPlan(seed, 20s)).Run();
    const RunResult second = Simulation(DrawPlan(seed, 20s)).Run();
    EXPECT_EQ(first.hash, second.hash) << seed;
    EXPECT_EQ(first.steps, second.steps) << seed;
    EXPECT_NE(first.hash, Simulation(DrawPlan(seed + 1000, 20s)).Run().hash) << seed;
  }
}

TEST_F(SimulationTest, SomeSeedsHaveDisksOfFilesAndTheirSegmentsAreRolledAndRecycled) {
  uint64_t models = 0;
  SegmentCounts segments;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Plan plan = DrawPlan(seed, 20s);
    const SegmentCounts here = Simulation(plan).Run().segments;
    models += plan.segment_bytes == 0 ? 1 : 0;
    EXPECT_EQ(here.made == 0, plan.segment_bytes == 0) << seed;
    segments.made += here.made;
    segments.recycled += here.recycled;
    segments.removed += here.removed;
  }
  EXPECT_GE(models, 2u);
  EXPECT_LE(models, 18u);
  EXPECT_GT(segments.made, 200u);
  EXPECT_GT(segments.recycled, 50u);
  EXPECT_GT(segments.removed, 50u);
}

TEST_F(SimulationTest, AQuietGroupServesItsClients) {
  for (int members : {1, 2, 3, 5, 7}) {
    Plan plan;
    plan.seed = 1;
    plan.members = members;
    plan.segment_bytes = members == 2 ? 0 : 4096;
    plan.length = 20s;
    plan.think_time = 50ms;
    plan.disk_latency = 1ms;
    plan.sync_state_every = 10;
    plan.snapshot_piece_bytes = 1000;
    const RunResult result = Simulation(plan).Run();
    EXPECT_FALSE(result.violation) << Describe(1, result);
    EXPECT_GT(result.acknowledged, 400u);
  }
}

TEST_F(SimulationTest, NoSeedBreaksAPromise) {
  SeedRange range;
  range.first = FromEnvironment("CAIRN_SEED", 1);
  range.count = FromEnvironment("CAIRN_SIMULATION_SEEDS", kUsualSeeds);
  range.threads = std::max(1u, std::thread::hardware_concurrency());
  std::printf("CAIRN_SEED=%llu CAIRN_SIMULATION_SEEDS=%llu\n",
              static_cast<unsigned long long>(range.first),
              static_cast<unsigned long long>(range.count));
  ExpectNoViolation(range);
}

}  // namespace
}  // namespace cairn::simulation
