#include "tests/simulation/seed_runner.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

#include "common/logging.h"

namespace cairn::simulation {
namespace {

constexpr char kUsage[] =
    "usage: %s [--seeds N] [--first SEED] [--seconds N] [--threads N]\n"
    "       [--time-limit SECONDS] [--trace]\n"
    "  --seconds     of simulated time with faults, per seed (60)\n"
    "  --time-limit  begin no further seed after that much real time\n"
    "  --trace       print what happens, step by step\n";

bool Take(std::string_view word, uint64_t number, SeedRange& range) {
  if (word == "--seeds") {
    range.count = number;
  } else if (word == "--first") {
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
  return true;
}

bool Parse(int count, char** words, SeedRange& range) {
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--trace") {
      range.printing = true;
    } else if (++i == count || !Take(word, std::strtoull(words[i], nullptr, 10), range)) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::optional<SeedRange> ParseSeedRange(const char* program, int count, char** words) {
  SeedRange range;
  if (Parse(count, words, range)) return range;
  std::fprintf(stderr, kUsage, program);
  return std::nullopt;
}

void HushProduction() {
  spdlog::set_level(spdlog::level::off);
}

void RunEachSeed(const SeedRange& range, const std::function<void(uint64_t seed)>& run) {
  const auto begin = std::chrono::steady_clock::now();
  const auto time_is_up = [&] {
    return range.time_limit.count() != 0 &&
           std::chrono::steady_clock::now() - begin > range.time_limit;
  };
  std::atomic<uint64_t> next{0};
  const auto work = [&] {
    for (uint64_t i = next++; i < range.count && !time_is_up(); i = next++) run(range.first + i);
  };
  std::vector<std::thread> others;
  for (int i = 1; i < range.threads; ++i) others.emplace_back(work);
  work();
  for (std::thread& thread : others) thread.join();
}

}  // namespace cairn::simulation
