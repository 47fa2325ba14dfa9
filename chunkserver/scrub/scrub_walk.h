// The way of a scrub through all that is stored here: by group, by chunk, and piece by piece.
#pragma once

#include <optional>
#include <vector>

#include "chunkserver/replication/group_table.h"
#include "chunkserver/store/chunk_store.h"

namespace cairn {

struct ScrubStep {
  enum class Kind { kBlocks, kGroupDone, kEnd };
  Kind kind = Kind::kEnd;
  PgId group;
  ChunkId chunk;
  uint32_t first_block = 0;
  uint32_t count = 0;  // of blocks, at most kMaxTransferBytes
};

// Confined to one thread.
class ScrubWalk {
 public:
  ScrubWalk(ChunkStore& store, const GroupTable& table) : store_(store), table_(table) {}

  // Looks again which groups are served here. To be called first, and from time to time.
  void Refresh() { kept_ = table_.Kept(); }
  // Goes on in `group` behind chunk `after`; groups below it are done.
  void Begin(PgId group, ChunkId after);
  // What comes next.
  Result<ScrubStep> Next();

  // Everything before this place was stepped over: whole chunks only.
  PgId group() const { return group_; }
  ChunkId after() const { return after_; }
  // Of the groups served here, and of those that are done.
  uint64_t total_bytes() const;
  uint64_t done_bytes() const;

 private:
  std::optional<PgId> CurrentGroup() const;
  Status EnterChunk(ChunkId id);
  ScrubStep NextPiece();

  ChunkStore& store_;
  const GroupTable& table_;
  std::vector<PgId> kept_;  // in order
  PgId group_;      // the first one that is not done
  ChunkId after_;
  ChunkId chunk_;   // entered, unless blocks_ is 0
  uint32_t next_block_ = 0;
  uint32_t blocks_ = 0;  // up to the last that was ever written
  uint64_t group_bytes_ = 0;  // stepped over in this group
};

}  // namespace cairn
