// Many runs of the metadata plane.
#pragma once

#include <cstdint>
#include <functional>

#include "tests/simulation/seed_runner.h"
#include "tests/simulation/simulation.h"

namespace cairn::simulation {

struct SeedTotals {
  uint64_t runs = 0;
  uint64_t failed = 0;
  uint64_t acknowledged = 0;
};

// `told` gets each result, by one thread at a time.
SeedTotals RunSeeds(const SeedRange& range,
                    const std::function<void(uint64_t seed, const RunResult& result)>& told);

}  // namespace cairn::simulation
