// Which inodes this mount holds open, as the metaserver should know it.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "client/extension.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/status.h"

namespace cairn::client {

// The metaserver keeps a set, not a count, so an Open must never overtake, or be overtaken by, the
// Close of the same inode: a hold begins before Open is sent, and Begin waits for a Close that is
// on its way. Thread-safe.
class OpenRegistry {
 public:
  // All holds of an earlier session are void.
  void Reset(SessionId session);

  // kDeadlineExceeded: a Close of this inode is still on its way.
  Status Begin(InodeId inode, Deadline deadline);
  void Retain(InodeId inode);
  // The last one queues the Close. Ignored for a session that is no more. What is said of the
  // file's extension counts until a Close has told it, whether the file is opened again or not.
  void Release(SessionId session, InodeId inode,
               Extension::Standing extension = Extension::Standing::kNone);

  // What may be closed now; taken out of the queue. Empty: nothing. FinishClose must follow.
  std::vector<InodeId> TakeClosable(size_t most);
  // Those among what TakeClosable answered that were announced as extended, and are all committed.
  std::vector<InodeId> ClosingExtended() const;
  // Not told: they are queued again.
  void FinishClose(bool told);

  // Odd while a Close is on its way, and never twice the same: tells whether one was during a
  // request that opened an inode nobody could name beforehand.
  uint64_t close_rounds() const;
  size_t queued() const;
  bool any_extended() const;  // in the queue
  // Some bytes past its size may be stored that no commit tells of, written under any handle of
  // the session: what it announced of the file lasts as long as the session (rule L5).
  bool IsSpoilt(SessionId session, InodeId inode) const;
  std::vector<InodeId> Held() const;

 private:
  bool IsExtended(InodeId inode) const ABSL_SHARED_LOCKS_REQUIRED(mu_);

  mutable absl::Mutex mu_;
  SessionId session_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<InodeId, uint64_t> holds_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_set<InodeId> queue_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_set<InodeId> closing_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_set<InodeId> extended_ ABSL_GUARDED_BY(mu_);  // to be named as no longer so
  absl::flat_hash_set<InodeId> spoilt_ ABSL_GUARDED_BY(mu_);    // never to be
  uint64_t rounds_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace cairn::client
