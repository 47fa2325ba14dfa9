// Many runs of the chunk plane.
#pragma once

#include <cstdint>
#include <functional>

#include "tests/simulation/chunks/chunk_simulation.h"
#include "tests/simulation/seed_runner.h"

namespace cairn::simulation::chunks {

struct ChunkSeedTotals {
  uint64_t runs = 0;
  uint64_t failed = 0;
  uint64_t writes = 0;
  uint64_t reads = 0;
  uint64_t flips = 0;
  double simulated_seconds = 0;
};

// `told` gets each result, by one thread at a time.
ChunkSeedTotals RunSeeds(
    const SeedRange& range,
    const std::function<void(uint64_t seed, const ChunkRunResult& result)>& told);

}  // namespace cairn::simulation::chunks
