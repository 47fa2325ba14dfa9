// Runs seeds and says what it found; exit code 1: a promise was broken.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/simulation/chunks/chunk_seeds.h"

namespace cairn::simulation::chunks {
namespace {

constexpr char kUsage[] =
    "usage: chunk_simulation [--seeds N] [--first-seed SEED] [--seconds N] [--threads N]\n"
    "                        [--time-limit SECONDS] [--trace]\n"
    "  --seconds     of simulated time with faults, per seed (60)\n"
    "  --time-limit  begin no further seed after that much real time\n"
    "  --trace       print what happens, step by step\n";

bool Parse(int count, char** words, ChunkSeedRange& range) {
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--trace") {
      range.printing = true;
      continue;
    }
    if (i + 1 == count) return false;
    const uint64_t number = std::strtoull(words[++i], nullptr, 10);
    if (word == "--seeds") {
      range.count = number;
    } else if (word == "--first-seed") {
      range.first = number;
    } else if (word == "--seconds") {
      range.length = std::chrono::seconds(number);
    } else if (word == "--threads") {
      range.threads = static_cast<int>(number);
    } else if (word == "--time-limit") {
      range.time_limit = std::chrono::seconds(number);
    } else {
      return false;
    }
  }
  return true;
}

int Run(const ChunkSeedRange& range) {
  if (std::getenv("CAIRN_LOUD") == nullptr) HushChunkservers();
  const auto begin = std::chrono::steady_clock::now();
  const ChunkSeedTotals totals = RunSeeds(range, [&](uint64_t seed, const ChunkRunResult& result) {
    if (!result.violation && range.count > 1) return;
    std::printf("%s\n", Describe(seed, result).c_str());
    std::fflush(stdout);
  });
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
  std::printf(
      "%llu seeds from %llu: %llu failed, %llu writes acknowledged, %llu reads, %.1f s; "
      "%.0f simulated seconds per second\n",
      static_cast<unsigned long long>(totals.runs), static_cast<unsigned long long>(range.first),
      static_cast<unsigned long long>(totals.failed),
      static_cast<unsigned long long>(totals.writes), static_cast<unsigned long long>(totals.reads),
      passed.count(), totals.simulated_seconds / passed.count());
  return totals.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace cairn::simulation::chunks

int main(int count, char** words) {
  cairn::simulation::chunks::ChunkSeedRange range;
  if (!cairn::simulation::chunks::Parse(count, words, range)) {
    std::fputs(cairn::simulation::chunks::kUsage, stderr);
    return 2;
  }
  return cairn::simulation::chunks::Run(range);
}
