// What must be true of the members whenever a write is acknowledged, and of all of them at the end.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "tests/simulation/chunks/chunk_machine.h"
#include "tests/simulation/chunks/file_truth.h"
#include "tests/simulation/chunks/map_keeper.h"

namespace cairn::simulation::chunks {

// Confined to the run.
class ChunkRules {
 public:
  using Machines = std::vector<std::unique_ptr<ChunkMachine>>;
  ChunkRules(ChunkWorld& world, FileTruth& truth, MapKeeper& keeper, Machines& machines)
      : world_(world), truth_(truth), keeper_(keeper), machines_(machines) {}

  // The store of a server carried out a write.
  void Written(ServerId server, const ChunkWrite& write);
  // A primary is about to acknowledge a write: every active member has it (rules C4, C7).
  void Acknowledged(const v1::WriteChunkRequest& request);
  // Power was lost: of those that count in a group, is there any that kept its page cache?
  void PowerLost();
  // From now on others count: those that had said so may have lost their power since (rule C3).
  void Activated(PgId group);

  // Every group has all its members, active, up and equal; what was removed is gone.
  bool IsWhole() const;
  void CheckAtTheEnd();

 private:
  void CheckPassed(ServerId server, const ChunkWrite& write);
  ChunkMachine* Find(ServerId server) const;
  ChunkStore* StoreOf(const v1::Member& member) const;  // null: not up as it became active
  std::vector<ChunkInfo> FilledChunks(PgId group, ChunkStore& store) const;
  void CheckEqual(PgId group);
  void CheckSame(ChunkId id, ServerId other, const ChunkBlocks& ours, const ChunkBlocks& theirs);
  void CheckVersions(PgId group, ChunkStore& store);

  ChunkWorld& world_;
  FileTruth& truth_;
  MapKeeper& keeper_;
  Machines& machines_;
  std::map<std::pair<uint64_t, uint64_t>, ChunkVersion> versions_;  // by session and sequence
  std::map<ChunkId, ChunkVersion> acknowledged_;                    // the latest
};

}  // namespace cairn::simulation::chunks
