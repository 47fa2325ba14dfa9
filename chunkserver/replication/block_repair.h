// Mends chunks of this server from the copies of other members. Blocks: for worker threads that may
// wait for peers.
#pragma once

#include <vector>

#include "chunkserver/replication/replica_context.h"

namespace cairn {

// Thread-safe.
class BlockRepair {
 public:
  explicit BlockRepair(ReplicaContext& context) : context_(context) {}

  // Finds the blocks of `range` that do not match here and replaces them by a member's: one of the
  // same version or, for a single block, of the same CRC. The chunk is held meanwhile.
  // kIoError: no reachable member has a good copy of some block; the chunk is listed as damaged.
  // kUnavailable: the chunk could not be held in time, or a member that may have one did not
  // answer.
  Status RepairRange(PgId group, Epoch epoch, ChunkId id, BlockRange range);

  // The chunk is absent here and must exist (rule C10): copied whole from an active member that has
  // it. kIoError: all active members agree that it is absent. kUnavailable: one did not answer.
  Status RepairMissing(PgId group, Epoch epoch, ChunkId id);

  // After an unclean stop: each suspect block is copied from a member that certainly has it as it
  // was or newer; what matches nowhere is adopted as it is (DESIGN 6.4). kUnavailable: a block would
  // have to be adopted while `patient` and a member has not been heard: its map may be behind, or
  // it may be starting as this server is.
  Status HealSuspects(const Group& group, ChunkId id, bool patient);

 private:
  struct Copy {
    ServerId server;
    v1::ListBlocksResponse blocks;
  };
  struct Copies {
    std::vector<Copy> found;
    bool active_silent = false;  // an active member did not answer
    bool silent = false;         // some member did not
  };
  // What the other members have of the chunk.
  Copies FindCopies(const Group& group, ChunkId id, bool active_only);
  bool CopyBlock(const Group& group, const ChunkBlocks& own, uint32_t block, const Copy& copy);
  Status CopyWhole(const Group& group, const Copy& copy);

  ReplicaContext& context_;
};

}  // namespace cairn
