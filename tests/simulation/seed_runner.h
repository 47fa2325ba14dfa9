// Many runs, on several threads, whatever is simulated.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include "tests/simulation/random.h"

namespace cairn::simulation {

struct SeedRange {
  uint64_t first = 1;
  uint64_t count = 1;
  Time length = std::chrono::seconds(60);  // of the part with faults, per run
  int threads = 1;
  bool printing = false;
  // No further run is begun after so much real time; 0: no limit.
  std::chrono::seconds time_limit{0};
};

// From the command line; says how to use `program` when it does not parse.
std::optional<SeedRange> ParseSeedRange(const char* program, int count, char** words);

// What production code says of faults is expected in a simulation and not worth a line.
void HushProduction();

// Calls `run` for each seed, on as many threads as the range says.
void RunEachSeed(const SeedRange& range, const std::function<void(uint64_t seed)>& run);

}  // namespace cairn::simulation
