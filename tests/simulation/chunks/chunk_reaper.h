// Removes chunks of files that are gone and trims those that were cut, as metaserver/cluster/reaper
// does: only while a group is quiet, and again until all its members have done it in one epoch.
#pragma once

#include <set>

#include "tests/simulation/chunks/file_truth.h"
#include "tests/simulation/chunks/map_keeper.h"

namespace cairn::simulation::chunks {

// Confined to the run.
class ChunkReaper {
 public:
  ChunkReaper(ChunkWorld& world, Wires& wires, FileTruth& truth, MapKeeper& keeper);
  void Start();
  void Stop() { stopping_ = true; }
  bool stopped() const { return stopped_; }

 private:
  void Run();
  bool Clear(const SimulatedFile& file, bool whole);
  bool ClearChunk(v1::ChunkAddress chunk, bool whole);

  ChunkWorld& world_;
  Wires& wires_;
  FileTruth& truth_;
  MapKeeper& keeper_;
  Random random_;
  Domain domain_;
  PortPtr port_;
  bool stopping_ = false;
  bool stopped_ = false;
};

}  // namespace cairn::simulation::chunks
