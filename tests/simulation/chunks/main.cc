// Runs seeds and says what it found; exit code 1: a promise was broken.
#include <chrono>
#include <cstdio>

#include "tests/simulation/chunks/chunk_seeds.h"

namespace cairn::simulation::chunks {
namespace {

int Run(const SeedRange& range) {
  if (!range.printing) HushProduction();
  const auto begin = std::chrono::steady_clock::now();
  const ChunkSeedTotals totals = RunSeeds(range, [&](uint64_t seed, const ChunkRunResult& result) {
    if (!result.violation && range.count > 1) return;
    std::printf("%s\n", Describe(seed, result).c_str());
    std::fflush(stdout);
  });
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
  std::printf(
      "%llu seeds from %llu: %llu failed, %llu writes acknowledged, %llu reads, %llu flips, "
      "%.1f s; "
      "%.0f simulated seconds per second\n",
      static_cast<unsigned long long>(totals.runs), static_cast<unsigned long long>(range.first),
      static_cast<unsigned long long>(totals.failed),
      static_cast<unsigned long long>(totals.writes), static_cast<unsigned long long>(totals.reads),
      static_cast<unsigned long long>(totals.flips), passed.count(),
      totals.simulated_seconds / passed.count());
  return totals.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace cairn::simulation::chunks

int main(int count, char** words) {
  const auto range = cairn::simulation::ParseSeedRange("chunk_simulation", count, words);
  return range ? cairn::simulation::chunks::Run(*range) : 2;
}
