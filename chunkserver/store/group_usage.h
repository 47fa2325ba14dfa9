// How much of each placement group lies on this disk. Counted as chunks change, so that nobody has
// to walk them to know.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "chunkserver/store/chunk_format.h"
#include "common/ids.h"

namespace cairn {

struct GroupUsage {
  uint64_t chunks = 0;
  uint64_t blocks = 0;  // present ones
  // Over all chunks, of id and version: members whose sums are equal hold the same versions.
  uint64_t sum = 0;
  uint64_t bytes() const { return blocks * kBlockSize; }
};

// Thread-safe.
class GroupUsages {
 public:
  void Add(ChunkId id, const ChunkRow& row) { Replace(id, std::nullopt, row); }
  void Remove(ChunkId id, const ChunkRow& row) { Replace(id, row, std::nullopt); }
  // The chunk's row was `before` and is `now`; nobody sees the group without it in between.
  void Replace(ChunkId id, const std::optional<ChunkRow>& before,
               const std::optional<ChunkRow>& now);
  GroupUsage Of(PgId group) const;

 private:
  mutable absl::Mutex mu_;
  absl::flat_hash_map<PgId, GroupUsage> groups_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn
