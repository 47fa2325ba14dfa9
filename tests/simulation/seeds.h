// Many runs, on several threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "tests/simulation/simulation.h"

namespace cairn::simulation {

struct SeedRange {
  uint64_t first = 1;
  uint64_t count = 1;
  Time length = 60s;  // of the part with faults, per run
  int threads = 1;
  bool printing = false;
  // No further run is begun after so much real time; 0: no limit.
  std::chrono::seconds time_limit{0};
};

struct SeedTotals {
  uint64_t runs = 0;
  uint64_t failed = 0;
  uint64_t acknowledged = 0;
};

// What the log storage says of damage is expected here and not worth a line.
void HushStorage();

// `told` gets each result, by one thread at a time.
SeedTotals RunSeeds(const SeedRange& range,
                    const std::function<void(uint64_t seed, const RunResult& result)>& told);

}  // namespace cairn::simulation
