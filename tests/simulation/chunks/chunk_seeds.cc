#include "tests/simulation/chunks/chunk_seeds.h"

#include <atomic>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "common/logging.h"

namespace cairn::simulation::chunks {

void HushChunkservers() {
  spdlog::set_level(spdlog::level::off);
}

ChunkSeedTotals RunSeeds(
    const ChunkSeedRange& range,
    const std::function<void(uint64_t seed, const ChunkRunResult& result)>& told) {
  const auto begin = std::chrono::steady_clock::now();
  const auto time_is_up = [&] {
    return range.time_limit.count() != 0 &&
           std::chrono::steady_clock::now() - begin > range.time_limit;
  };
  std::atomic<uint64_t> next{0};
  absl::Mutex mu;
  ChunkSeedTotals totals;
  const auto work = [&] {
    for (uint64_t i = next++; i < range.count && !time_is_up(); i = next++) {
      const uint64_t seed = range.first + i;
      const ChunkRunResult result =
          ChunkSimulation(DrawPlan(seed, range.length), range.printing).Run();
      absl::MutexLock lock(&mu);
      ++totals.runs;
      totals.failed += result.violation ? 1 : 0;
      totals.writes += result.writes;
      totals.reads += result.reads;
      totals.simulated_seconds += static_cast<double>(result.length.count()) / 1e9;
      told(seed, result);
    }
  };
  std::vector<std::thread> others;
  for (int i = 1; i < range.threads; ++i) others.emplace_back(work);
  work();
  for (std::thread& thread : others) thread.join();
  return totals;
}

}  // namespace cairn::simulation::chunks
