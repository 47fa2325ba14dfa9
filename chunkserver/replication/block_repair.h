// Mends chunks of this server from the copies of other members. Blocks: for worker threads that may
// wait for peers.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "chunkserver/replication/replica_context.h"

namespace cairn {

// Thread-safe.
class BlockRepair {
 public:
  explicit BlockRepair(ReplicaContext& context) : context_(context) {}

  // Finds the blocks of `range` that do not match here and replaces them by a member's: one of the
  // same version and stamp or, for a single block, of the same CRC. The chunk is held meanwhile.
  // kIoError: no reachable member has a good copy of some block; the chunk is listed as damaged.
  // kUnavailable: the chunk could not be held in time, a member that may have a copy did not
  // answer, or it could not be put in place here.
  Status RepairRange(PgId group, Epoch epoch, ChunkId id, BlockRange range);

  // The chunk is absent here and must exist (rule C10): copied whole from an active member that has
  // it. kIoError: no active member has it, or a good copy of it. kUnavailable: one did not answer,
  // or it could not be put in place here.
  Status RepairMissing(PgId group, Epoch epoch, ChunkId id);

  // Copies a chunk that is absent here whole from `from`; nothing if it is absent there too.
  // kCorruption: it is damaged there. kNoSpace. kUnavailable: `from` did not answer.
  // REQUIRES: the chunk is held.
  Status CopyMissing(const Group& group, ChunkId id, ServerId from);

  // After an unclean stop: each suspect block is copied from a member that certainly has it as it
  // was or newer; what matches nowhere is adopted as it is (DESIGN 6.4). kUnavailable: a block
  // would have to be adopted while `patient` and a member has not been heard: its map may be
  // behind, or it may be starting as this server is; or a copy could not be fetched or put in
  // place.
  // Members in `hung` are not asked; one that lets its deadline pass is added.
  Status HealSuspects(const Group& group, ChunkId id, bool patient, std::set<ServerId>& hung);

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
  // What the other members have of the chunk. `hung` as in HealSuspects.
  Copies FindCopies(const Group& group, ChunkId id, bool active_only, std::set<ServerId>& hung);
  // The blocks from `first` that fill `out`, as `copy` lists them. kCorruption: the member does not
  // have them as it said. Any other failure, which says nothing about its blocks: kUnavailable.
  Status FetchInto(const Group& group, ChunkId id, const Copy& copy, uint32_t first,
                   std::span<std::byte> out);
  // As FetchInto, and the block is in place here. kUnavailable also when that failed. If it is
  // other bytes than were written here last, they may be what the last request wrote: `own` forgets
  // it.
  Status CopyBlock(const Group& group, ChunkBlocks& own, uint32_t block, const Copy& copy);
  // From the first copy with the block that `suits`. kCorruption: there is none.
  Status CopyBlockFromAny(const Group& group, ChunkBlocks& own, uint32_t block,
                          const Copies& copies, const std::function<bool(const Copy&)>& suits);
  Status CopyWhole(const Group& group, const Copy& copy);
  // Ok: it matches, or does again. kCorruption: there is no good copy.
  Status RepairBlock(const Group& group, ChunkBlocks& own, uint32_t block,
                     std::optional<Copies>& copies);

  ReplicaContext& context_;
};

}  // namespace cairn
