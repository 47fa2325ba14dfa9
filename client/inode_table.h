// The files a mount has open or dirty, and a memory of those it had.
#pragma once

#include <functional>
#include <list>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "client/inode_state.h"
#include "client/session.h"

namespace cairn::client {

// Every answer that carries attributes passes through here, so that an old answer that arrives late
// never hides what this mount wrote. Thread-safe. Lock order: mu_, then InodeState::mu.
class InodeTable {
 public:
  explicit InodeTable(Session* session) : session_(session) {}

  // The state of an inode that was just opened under `session`, with one handle more; the entry is
  // taken in. kCorruption: it is not the map of a regular file. kBusy: this mount has changed the
  // file since; fetch its attributes and try again.
  Result<InodeStatePtr> Acquire(const v1::EntryResponse& entry, SessionId session);
  // The error of `inode` that nobody was told yet: told now.
  Status TakeUntoldError(InodeId inode);
  // Null when it is neither open nor dirty.
  InodeStatePtr Find(InodeId inode) const;
  // One handle less.
  void Release(const InodeStatePtr& state);
  // Forgets a state that nobody holds and that owes nothing; the metaserver hears of the close.
  void RetireIfIdle(const InodeStatePtr& state);

  // Replaces what is older than this mount's own knowledge, and lays buffered changes over it.
  // Returns the blocks for st_blocks.
  uint64_t Reconcile(v1::EntryResponse& entry) const;

  std::vector<InodeStatePtr> Dirty() const;
  std::vector<InodeStatePtr> All() const;
  // Whether nothing is dirty and nobody has an error to be told.
  bool OwesNothing() const;

 private:
  // What stays known of a file after its last handle was closed.
  struct Memory {
    v1::Attributes attributes;
    uint64_t cached_version = 0;
    UnsyncedChunks unsynced;
    Status untold;  // a failure that no handle was told
    std::list<InodeId>::iterator age;
  };
  void Remember(InodeId inode, Memory memory) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void PassOn(InodeId inode, const Status& untold) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Forget(InodeId inode) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // False: nothing is remembered of it.
  bool Recall(InodeState& state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_, state.mu);

  Session* const session_;
  mutable absl::Mutex mu_;
  absl::flat_hash_map<InodeId, InodeStatePtr> states_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<InodeId, Memory> memories_ ABSL_GUARDED_BY(mu_);
  std::list<InodeId> ages_ ABSL_GUARDED_BY(mu_);  // oldest first
  size_t untold_errors_ ABSL_GUARDED_BY(mu_) = 0;  // in memories_
};

}  // namespace cairn::client
