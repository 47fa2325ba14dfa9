// Which chunks are unsealed, when they were last changed, and whether those changes are on disk.
// As large as what was written in the last half minute.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "common/clock.h"
#include "common/ids.h"

namespace cairn {

// Thread-safe. A chunk's changes are noted under its lock.
class UnsealedChunks {
 public:
  struct Dirty {
    ChunkId id;
    uint64_t change = 0;        // unique over all chunks and times
    bool data_synced = false;   // that change is on disk
    bool entry_synced = false;  // the file's directory entry is
  };

  // The chunk's data or rows changed. A new entry starts with its directory entry not on disk.
  void NoteChange(ChunkId id, PgId group, BootTime now);
  // The chunk has a new file, though it may have been known before: after an unclean stop a row may
  // be left without its file. The directory entry is not on disk.
  void NoteNewFile(ChunkId id);
  // The chunk was sealed or removed.
  void Forget(ChunkId id);

  std::optional<Dirty> Find(ChunkId id) const;
  std::vector<Dirty> All() const;
  std::vector<ChunkId> OfGroup(PgId group) const;
  // Those not changed after `moment`. All three in order of id: what is done in order happens the
  // same way each time, as a simulator needs it.
  std::vector<Dirty> IdleSince(BootTime moment) const;
  // Everything up to that change, and the directory entry, is on disk now.
  void NoteSynced(const Dirty& synced);

 private:
  struct State {
    PgId group;
    BootTime changed;
    uint64_t first_change = 0;
    uint64_t change = 0;
    uint64_t synced = 0;
    uint64_t file_made = 0;  // the change that made the file
    bool entry_synced = false;
  };
  static Dirty Describe(ChunkId id, const State& state);

  mutable absl::Mutex mu_;
  uint64_t last_change_ ABSL_GUARDED_BY(mu_) = 0;
  absl::flat_hash_map<ChunkId, State> chunks_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<PgId, std::set<ChunkId>> groups_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn
