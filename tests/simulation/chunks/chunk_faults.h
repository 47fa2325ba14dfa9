// Everything that goes wrong in a run, at times drawn from the seed.
#pragma once

#include <memory>
#include <vector>

#include "tests/simulation/chunks/chunk_damage.h"
#include "tests/simulation/chunks/chunk_rules.h"

namespace cairn::simulation::chunks {

// Confined to the run.
class ChunkFaults {
 public:
  ChunkFaults(ChunkWorld& world, Wires& wires, MapKeeper& keeper, ChunkRules::Machines& machines,
              ChunkRules& rules, ChunkDamage& damage);
  void Start();
  // No fault comes any more, and whatever is down comes back.
  void End();

 private:
  void Loop(ChunkFault fault);
  void Do(ChunkFault fault);
  ChunkMachine* Victim();
  void StartLater(ChunkMachine& machine, Time longest);
  void LosePower(ChunkMachine& machine);
  void Cut(ChunkMachine& machine);
  void FillDisk(ChunkMachine& machine);
  void FailSync(ChunkMachine& machine);
  void ReplaceLater(ChunkMachine& machine);
  // Every group it is in has another active member that is up as it became active.
  bool IsSpare(const ChunkMachine& machine) const;
  // A disk has failed, or may at any moment: what it holds must not be the last.
  bool DiskIsMissing() const;

  ChunkWorld& world_;
  Wires& wires_;
  MapKeeper& keeper_;
  ChunkRules::Machines& machines_;
  ChunkRules& rules_;
  ChunkDamage& damage_;
  Random random_;
  uint32_t last_server_;
  bool ended_ = false;
};

}  // namespace cairn::simulation::chunks
