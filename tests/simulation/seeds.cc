#include "tests/simulation/seeds.h"

#include "absl/synchronization/mutex.h"

namespace cairn::simulation {

SeedTotals RunSeeds(const SeedRange& range,
                    const std::function<void(uint64_t seed, const RunResult& result)>& told) {
  absl::Mutex mu;
  SeedTotals totals;
  RunEachSeed(range, [&](uint64_t seed) {
    const RunResult result = Simulation(DrawPlan(seed, range.length), range.printing).Run();
    absl::MutexLock lock(&mu);
    ++totals.runs;
    totals.failed += result.violation ? 1 : 0;
    totals.acknowledged += result.acknowledged;
    told(seed, result);
  });
  return totals;
}

}  // namespace cairn::simulation
