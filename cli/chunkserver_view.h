// A chunkserver as people see it: one process with one disk or several. Pure.
#pragma once

#include <string>
#include <vector>

#include "cairn/v1/admin.pb.h"
#include "cli/output.h"
#include "common/clock.h"

namespace cairn {

struct ChunkserverView {
  std::vector<v1::ChunkserverStatus> disks;  // in order of their ids
  // As if it were one disk, with the chunkserver's id: sums, up if all are, silent for as long as
  // the last one that was heard.
  v1::ChunkserverStatus whole;
};

// REQUIRES: at least one disk, all of one chunkserver.
ChunkserverView MakeView(std::vector<v1::ChunkserverStatus> disks);
// In order of their ids.
std::vector<ChunkserverView> ViewChunkservers(const v1::GetStatusResponse& status);

// As ServerStateText where all disks are alike; else "1 of 2 up, 1 draining".
std::string StateText(const ChunkserverView& view, WallTime now);
Colour ColourOf(const ChunkserverView& view, WallTime now);

}  // namespace cairn
