// Deletes chunks of groups that this server is no member of any more: it was replaced while it was
// away, or its copy has moved to another server. Paced, in the background.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "chunkserver/replication/replica_context.h"

namespace cairn {

// Thread-safe.
class SurplusChunks {
 public:
  explicit SurplusChunks(ReplicaContext& context) : context_(context) {}

  // Looks whether there is something of the group here that should not be. A server leaves a group
  // only when all copies wanted are active without it, so nothing is deleted that is still needed.
  void GroupChanged(const Standing& standing);

 private:
  bool IsOut(const Standing& standing) const;
  void Schedule(PgId group, Duration delay);
  void DeleteSome(PgId group);
  // kStaleEpoch: the group has moved on, perhaps with this server.
  Status Delete(const Group& group, ChunkId id);

  ReplicaContext& context_;
  absl::Mutex mu_;
  absl::flat_hash_set<PgId> under_way_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn
