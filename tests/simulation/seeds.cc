#include "tests/simulation/seeds.h"

#include <atomic>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "common/logging.h"

namespace cairn::simulation {

void HushStorage() {
  spdlog::set_level(spdlog::level::off);
}

SeedTotals RunSeeds(const SeedRange& range,
                    const std::function<void(uint64_t seed, const RunResult& result)>& told) {
  const auto begin = std::chrono::steady_clock::now();
  const auto time_is_up = [&] {
    return range.time_limit.count() != 0 &&
           std::chrono::steady_clock::now() - begin > range.time_limit;
  };
  std::atomic<uint64_t> next{0};
  absl::Mutex mu;
  SeedTotals totals;
  const auto work = [&] {
    for (uint64_t i = next++; i < range.count && !time_is_up(); i = next++) {
      const uint64_t seed = range.first + i;
      const RunResult result = Simulation(DrawPlan(seed, range.length), range.printing).Run();
      absl::MutexLock lock(&mu);
      ++totals.runs;
      totals.failed += result.violation ? 1 : 0;
      totals.acknowledged += result.acknowledged;
      told(seed, result);
    }
  };
  std::vector<std::thread> others;
  for (int i = 1; i < range.threads; ++i) others.emplace_back(work);
  work();
  for (std::thread& thread : others) thread.join();
  return totals;
}

}  // namespace cairn::simulation
