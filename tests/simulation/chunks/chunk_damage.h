// Bits that flip on the disks: where one may, whether it has been mended, and what servers say of
// damage that is not there (rule C12).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/simulation/chunks/chunk_machine.h"
#include "tests/simulation/chunks/file_truth.h"
#include "tests/simulation/chunks/map_keeper.h"

namespace cairn::simulation::chunks {

// Confined to the run.
class ChunkDamage {
 public:
  using Machines = std::vector<std::unique_ptr<ChunkMachine>>;
  ChunkDamage(ChunkWorld& world, FileTruth& truth, MapKeeper& keeper, Machines& machines)
      : world_(world), truth_(truth), keeper_(keeper), machines_(machines) {}
  void Start();

  // A bit flips in a sealed block of which another active member has a good, sealed copy. Nothing
  // happens where there is none.
  void Flip(ChunkMachine& machine, Random& random);
  // Every primary has lost its copies. Members that come back would be made like it, so this is for
  // the end, when all are there and stay: a chunk that must exist is copied, not taken for a hole
  // (rule C10). REQUIRES: every group has all its members.
  void LoseChunks();
  // No block is bad any more, as far as was looked.
  bool AllMended() const { return open_.empty(); }
  uint64_t flips() const { return flips_; }
  // The chunk cannot be read since `from` because of damage, and nobody is to blame: the good copy
  // is on a server that does not count.
  bool MayBeUnreadable(ChunkId id, Time from) const;

 private:
  struct Bad {
    std::string disk;
    ChunkId chunk;
    uint32_t block = 0;
  };
  void Look();
  bool IsGood(ChunkMachine& machine, ChunkId id, uint32_t block) const;
  bool HasGoodCopy(const ChunkMachine& machine, ChunkId id, uint32_t block) const;
  bool MayFlip(ChunkMachine& machine, ChunkId id, uint32_t block) const;
  bool IsMended(const Bad& bad) const;
  void CheckReports(ChunkMachine& machine);

  ChunkWorld& world_;
  FileTruth& truth_;
  MapKeeper& keeper_;
  Machines& machines_;
  uint64_t flips_ = 0;
  std::vector<Bad> open_;
  std::map<std::string, uint64_t> flips_on_;  // by disk
  std::map<ChunkId, Time> mended_;            // the last time
  std::map<PgId, Time> lacked_;               // when a member was not active, the last time
};

}  // namespace cairn::simulation::chunks
