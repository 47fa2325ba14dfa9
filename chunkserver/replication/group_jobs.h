// Long work on groups this server is the primary of: taking over after a change of primary, and
// bringing syncing members up to date. One job per group at a time, a few groups at once. Readers
// wait for takeovers, so those have threads of their own and never queue behind a catch-up.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "chunkserver/replication/block_repair.h"
#include "chunkserver/replication/member_comparer.h"
#include "chunkserver/replication/member_probes.h"
#include "chunkserver/replication/replica_context.h"
#include "chunkserver/replication/takeover.h"
#include "chunkserver/replication/write_path.h"

namespace cairn {

// Thread-safe.
class GroupJobs {
 public:
  GroupJobs(ReplicaContext& context, BlockRepair& repair, WritePath& writes)
      : context_(context), repair_(repair), writes_(writes) {}

  // Looks whether there is work for this group.
  void GroupChanged(PgId group);

 private:
  struct Job {
    bool running = false;
    bool again = false;  // the group changed while it ran
    int failures = 0;
  };

  enum class Phase { kTakeOver, kCatchUp };
  void Schedule(PgId group, Duration delay);
  void Run(PgId group, Phase phase);
  Status Work(PgId group, Phase phase);
  void RunAgain(PgId group);
  Status CatchUp(const Standing& standing, ServerId member);
  Status FinishCatchUp(const Group& group, MemberComparer& comparer, Attachment& attachment,
                       Incarnation incarnation);
  Status Announce(const Group& group, ServerId member, Incarnation incarnation);

  ReplicaContext& context_;
  BlockRepair& repair_;
  WritePath& writes_;
  MemberProbes probes_{context_};
  Takeover takeover_{context_, repair_, probes_};
  absl::Mutex mu_;
  absl::flat_hash_map<PgId, Job> jobs_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn
