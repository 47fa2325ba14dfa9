// What the leader knows of live sessions beyond their rows: when each was last heard and what it
// holds open. Soft state: after a restart every session gets a full life, and until it has said
// what it holds open it counts as a holder of everything (rules M8, C11): one that has not said it
// within that life is as good as silent.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/status.h"
#include "metaserver/store/kv_store.h"

namespace cairn {

// Files one session may hold open.
inline constexpr size_t kMaxOpenFiles = 1u << 20;

// Thread-safe. Callbacks run without its lock. Session 0 (requests without a session) holds
// nothing.
class SessionTable {
 public:
  explicit SessionTable(const Clock& clock) : clock_(clock) {}

  // Begins anew with the committed sessions, after a start or when this metaserver becomes the
  // leader: a full life each, not reclaimed. Removals that are under way go on.
  Status Restore(const ReadView& view);

  // A session was committed, of one user or of whoever may speak for all. One that is not known
  // yet holds nothing.
  void Add(SessionId session, std::optional<uint32_t> user = std::nullopt);
  // It was closed: everything it held is let go.
  void Remove(SessionId session);

  // It was heard. False: there is no such session, its end is under way, or it is not the one
  // user's that the peer is.
  bool Touch(SessionId session, std::optional<uint32_t> user = std::nullopt);
  // It says what it holds open, besides what it opened since. True if it had not yet reclaimed.
  bool Reclaim(SessionId session, const std::vector<InodeId>& open_inodes);
  bool IsReclaimed(SessionId session) const;

  // kRegistered: the session holds the inode from now on, and every later removal knows it.
  // kDeferred: the inode is just losing a name; `again` runs when that is decided.
  enum class OpenResult { kRegistered, kDeferred, kUnknownSession, kTooMany };
  OpenResult RegisterOpen(SessionId session, InodeId inode, std::function<void()> again);
  // For an inode nobody can know of yet.
  void RegisterNew(SessionId session, InodeId inode);
  void RegisterClose(SessionId session, InodeId inode);
  // May the session hold it open?
  bool MayHold(SessionId session, InodeId inode) const;

  // Who may hold the inode open. Until EndRemoval() nobody new can open it. Inode 0: nobody.
  std::vector<SessionId> BeginRemoval(InodeId inode);
  void EndRemoval(InodeId inode);

  // Sessions not heard for a life, or that did not reclaim in one. Each is told once, and is deaf
  // from then on, until Remove() or KeepAfterAll(). To be asked every second: if this process did
  // not run for a while, silence means nothing and every session gets a full life (rule M8).
  std::vector<SessionId> TakeSilent();
  // It could not be closed; it is told again at once.
  void KeepAfterAll(SessionId session);

  size_t OpenFiles(SessionId session) const;

 private:
  struct Entry {
    BootTime last_heard;
    bool reclaimed = false;
    bool ending = false;
    std::optional<uint32_t> user;
    absl::flat_hash_set<InodeId> open;
  };
  struct Removal {
    int count = 0;  // of names being taken away
    std::vector<std::function<void()>> deferred;
  };

  void HoldLocked(SessionId session, Entry& entry, InodeId inode)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void LetGoLocked(SessionId session, InodeId inode) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Clock& clock_;
  mutable absl::Mutex mu_;
  std::optional<BootTime> last_look_ ABSL_GUARDED_BY(mu_);
  BootTime restored_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<SessionId, Entry> sessions_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<InodeId, std::vector<SessionId>> openers_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_set<SessionId> unreclaimed_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<InodeId, Removal> removals_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn
