// Seeds that once failed, then new ones. CAIRN_SEED chooses the first seed and
// CAIRN_SIMULATION_SEEDS how many; README.md says how to look at one.
#include "tests/simulation/chunks/chunk_simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "tests/simulation/chunks/chunk_seeds.h"

namespace cairn::simulation::chunks {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr uint64_t kUsualSeeds = 5;
#else
constexpr uint64_t kUsualSeeds = 60;
#endif

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* chosen = std::getenv(name);
  return chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : otherwise;
}

class ChunkSimulationTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { HushProduction(); }
};

TEST_F(ChunkSimulationTest, SeedsThatOnceFailedPass) {
  std::ifstream file(fmt::format("{}/regressions.txt", CAIRN_CHUNK_SIMULATION));
  ASSERT_TRUE(file.is_open());
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const uint64_t seed = std::strtoull(line.c_str(), nullptr, 10);
    const ChunkRunResult result = ChunkSimulation(DrawPlan(seed, 60s)).Run();
    EXPECT_FALSE(result.violation) << Describe(seed, result) << "\n  it was: " << line;
  }
}

TEST_F(ChunkSimulationTest, ASeedIsOneRun) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    const ChunkRunResult first = ChunkSimulation(DrawPlan(seed, 15s)).Run();
    const ChunkRunResult second = ChunkSimulation(DrawPlan(seed, 15s)).Run();
    EXPECT_EQ(first.hash, second.hash) << seed;
    EXPECT_EQ(first.steps, second.steps) << seed;
    EXPECT_NE(first.hash, ChunkSimulation(DrawPlan(seed + 1000, 15s)).Run().hash) << seed;
  }
}

// Three servers, one group, no faults: the smallest whole run.
TEST_F(ChunkSimulationTest, AQuietClusterServesItsClients) {
  ChunkPlan plan;
  plan.seed = 1;
  plan.length = 20s;
  plan.think_time = 20ms;
  plan.disk_latency = 500us;
  plan.max_delay = 500us;
  const ChunkRunResult result = ChunkSimulation(plan).Run();
  EXPECT_FALSE(result.violation) << Describe(1, result);
  EXPECT_GT(result.writes, 200u);
  EXPECT_EQ(result.epochs, 1u);
}

TEST_F(ChunkSimulationTest, NoSeedBreaksAPromise) {
  SeedRange range;
  range.first = FromEnvironment("CAIRN_SEED", 1);
  range.count = FromEnvironment("CAIRN_SIMULATION_SEEDS", kUsualSeeds);
  range.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  std::printf("CAIRN_SEED=%llu CAIRN_SIMULATION_SEEDS=%llu\n",
              static_cast<unsigned long long>(range.first),
              static_cast<unsigned long long>(range.count));
  const ChunkSeedTotals totals = RunSeeds(range, [](uint64_t seed, const ChunkRunResult& result) {
    EXPECT_FALSE(result.violation) << Describe(seed, result);
  });
  EXPECT_EQ(totals.runs, range.count);
  // A cluster that does nothing breaks no promise either.
  EXPECT_GT(totals.writes, totals.runs * 50);
  EXPECT_GT(totals.reads, totals.runs * 50);
}

}  // namespace
}  // namespace cairn::simulation::chunks
