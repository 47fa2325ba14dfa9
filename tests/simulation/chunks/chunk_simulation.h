// One run: a cluster of chunkservers, its clients and its faults, all drawn from one seed, in one
// virtual time and on one thread. The same seed gives the same run, step by step.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/chunks/chunk_client.h"
#include "tests/simulation/chunks/chunk_faults.h"
#include "tests/simulation/chunks/chunk_reaper.h"
#include "tests/simulation/chunks/session_faults.h"

namespace cairn::simulation::chunks {

struct ChunkRunResult {
  uint64_t hash = 0;  // of everything that happened
  uint64_t steps = 0;
  Time length{};
  uint64_t writes = 0;  // acknowledged
  uint64_t reads = 0;
  uint64_t epochs = 0;
  uint64_t flips = 0;
  std::optional<Violation> violation;
};

// Thread-compatible.
class ChunkSimulation {
 public:
  explicit ChunkSimulation(const ChunkPlan& plan, bool printing = false);
  ~ChunkSimulation();

  // Until the first violation, or until the cluster has shown after the faults that it is whole.
  ChunkRunResult Run();

 private:
  void Found();
  bool RunUntil(Time end);
  bool RunUntilTrue(const std::function<bool()>& condition, Time longest, const char* what);
  void Settle();
  bool LoseChunks();
  void TakeDown();

  ChunkWorld world_;
  Wires wires_;
  FileTruth truth_;
  MapKeeper keeper_;
  ChunkRules::Machines machines_;
  ChunkRules rules_;
  ChunkDamage damage_;
  ChunkReaper reaper_;
  SessionFaults::Clients clients_;
  SessionFaults session_faults_;
  std::unique_ptr<ChunkFaults> faults_;
};

// "seed 17, step 5031 at 12.345 s, C7: ..."
std::string Describe(uint64_t seed, const ChunkRunResult& result);

}  // namespace cairn::simulation::chunks
