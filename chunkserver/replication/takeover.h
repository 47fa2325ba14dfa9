// What has to happen before a primary serves its group in a new epoch: nothing older is under way,
// its copies are equal, and the epoch is recorded as activated.
#pragma once

#include <list>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "chunkserver/replication/block_repair.h"
#include "chunkserver/replication/member_comparer.h"
#include "chunkserver/replication/member_probes.h"
#include "chunkserver/replication/replica_context.h"

namespace cairn {

// Thread-safe. Blocks: for worker threads.
class Takeover {
 public:
  Takeover(ReplicaContext& context, BlockRepair& repair, MemberProbes& probes)
      : context_(context), repair_(repair), probes_(probes) {}

  // Ok: the group is ready. To be called again after any failure while this server is the primary.
  Status Run(const Standing& standing);

 private:
  // Heals what an unclean stop left in doubt here, then makes every active member equal this one,
  // so that no acknowledged read can be undone by the next change of primary (rules C6, C8).
  Status Equalize(const Standing& standing);
  // Of the chunks whose last writes may not be everywhere; then whether that was enough.
  Result<bool> EqualizeScope(const Group& group, std::list<MemberComparer>& comparers,
                             MemberComparer::Scope scope);
  Status Heal(const Group& group);
  // Patience begins anew with each epoch.
  bool IsPatient(const Group& group);
  // Rules C1 and C3: leaving members serve no older epoch, and the epoch counts from now on.
  Status Activate(const GroupPtr& group);
  // Passes the status on. A member that heartbeats but does not do what a takeover asks would keep
  // the group without a primary for ever: it is reported.
  Status Judged(const Group& group, const MemberComparer& comparer, Status status);

  ReplicaContext& context_;
  BlockRepair& repair_;
  MemberProbes& probes_;
  SystemClock clock_;
  absl::Mutex mu_;
  absl::flat_hash_map<PgId, std::pair<Epoch, BootTime>> healing_since_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn
