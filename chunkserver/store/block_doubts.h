// Blocks whose bytes are known not to match their CRC. A *suspect* block was being written when an
// unclean stop came: its bytes are old or new, and may be accepted. A *damaged* one has no excuse.
// In memory only: a start finds suspects again, a read finds damage again.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/ids.h"

namespace cairn {

// Thread-safe; about one chunk's blocks decide under that chunk's lock.
class BlockDoubts {
 public:
  void AddSuspect(ChunkId id, PgId group, uint32_t block);
  // False when the block was known to be damaged already.
  bool AddDamaged(ChunkId id, uint32_t block);

  bool IsSuspect(ChunkId id, uint32_t block) const;
  bool HasSuspects(ChunkId id) const;
  std::set<uint32_t> Suspects(ChunkId id) const;
  std::vector<ChunkId> SuspectChunks(PgId group) const;

  // The block has new bytes and a new CRC.
  void Settle(ChunkId id, uint32_t block);
  void Forget(ChunkId id);

 private:
  struct Doubts {
    PgId group;
    std::set<uint32_t> suspect, damaged;
  };
  // Spares the lock on every read and write of a disk without doubts, which is nearly every disk.
  std::atomic<bool> any_{false};
  mutable absl::Mutex mu_;
  std::map<ChunkId, Doubts> chunks_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn
