// Blocks and chunks of which no good copy was found, for the heartbeat.
#pragma once

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "common/ids.h"

namespace cairn {

// In memory only: reading and scrubbing find damage again. Thread-safe.
class DamageList {
 public:
  void AddBlock(ChunkId id, PgId group, uint32_t block);
  // The whole chunk is missing.
  void AddChunk(ChunkId id, PgId group);
  // Blocks [first, end) match, or do again.
  void RemoveBlocks(ChunkId id, uint32_t first, uint32_t end);
  // The chunk is gone, or new as a whole.
  void Remove(ChunkId id);
  std::vector<std::pair<ChunkId, PgId>> List() const;  // at most kMost chunks

 private:
  static constexpr size_t kMost = 1000;
  struct Damage {
    PgId group;
    bool missing = false;
    std::set<uint32_t> blocks;
  };
  Damage* Find(ChunkId id, PgId group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable absl::Mutex mu_;
  absl::flat_hash_map<ChunkId, Damage> chunks_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn
