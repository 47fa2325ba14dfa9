#include "tests/simulation/chunks/chunk_seeds.h"

#include "absl/synchronization/mutex.h"

namespace cairn::simulation::chunks {

ChunkSeedTotals RunSeeds(
    const SeedRange& range,
    const std::function<void(uint64_t seed, const ChunkRunResult& result)>& told) {
  absl::Mutex mu;
  ChunkSeedTotals totals;
  RunEachSeed(range, [&](uint64_t seed) {
    const ChunkRunResult result =
        ChunkSimulation(DrawPlan(seed, range.length), range.printing).Run();
    absl::MutexLock lock(&mu);
    ++totals.runs;
    totals.failed += result.violation ? 1 : 0;
    totals.writes += result.writes;
    totals.reads += result.reads;
    totals.flips += result.flips;
    totals.simulated_seconds += static_cast<double>(result.length.count()) / 1e9;
    told(seed, result);
  });
  return totals;
}

}  // namespace cairn::simulation::chunks
