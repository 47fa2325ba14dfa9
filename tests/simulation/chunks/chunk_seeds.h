// Many runs, on several threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "tests/simulation/chunks/chunk_simulation.h"

namespace cairn::simulation::chunks {

struct ChunkSeedRange {
  uint64_t first = 1;
  uint64_t count = 1;
  Time length = 60s;  // of the part with faults, per run
  int threads = 1;
  bool printing = false;
  // No further run is begun after so much real time; 0: no limit.
  std::chrono::seconds time_limit{0};
};

struct ChunkSeedTotals {
  uint64_t runs = 0;
  uint64_t failed = 0;
  uint64_t writes = 0;
  uint64_t reads = 0;
  double simulated_seconds = 0;
};

// What chunkservers say of faults is expected here and not worth a line.
void HushChunkservers();

// `told` gets each result, by one thread at a time.
ChunkSeedTotals RunSeeds(
    const ChunkSeedRange& range,
    const std::function<void(uint64_t seed, const ChunkRunResult& result)>& told);

}  // namespace cairn::simulation::chunks
