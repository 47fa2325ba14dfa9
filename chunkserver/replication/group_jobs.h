// Long work on groups this server is the primary of: taking over after a change of primary, and
// bringing syncing members up to date. One job per group at a time, a few groups at once. Readers
// wait for takeovers, so those have threads of their own and never queue behind a catch-up.
#pragma once

#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "chunkserver/replication/block_repair.h"
#include "chunkserver/replication/member_comparer.h"
#include "chunkserver/replication/replica_context.h"
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
    std::optional<BootTime> healing_since;
  };

  enum class Phase { kTakeOver, kCatchUp };
  // What this server found out about a member by asking it to take part.
  struct Probe {
    bool silent = false;     // it did not answer the last time
    bool under_way = false;  // someone is asking again
  };

  void Schedule(PgId group, Duration delay);
  void Run(PgId group, Phase phase);
  Status Work(PgId group, Phase phase);
  void RunAgain(PgId group);
  // Asks the member to take part. kUnavailable at once: it is known to be silent and another job is
  // finding out whether it still is, so that it costs one thread and not all.
  Result<Incarnation> Begin(MemberComparer& comparer);
  // Heals what an unclean stop left in doubt here, then makes every active member equal this one,
  // so that no acknowledged read can be undone by the next change of primary (rules C6, C8).
  Status TakeOver(const Standing& standing);
  // Passes the status on. A member that heartbeats but does not do what a takeover asks would keep
  // the group without a primary for ever: it is reported.
  Status Judged(const Group& group, const MemberComparer& comparer, Status status);
  Status Heal(const Group& group);
  Status CatchUp(const Standing& standing, ServerId member);
  Status FinishCatchUp(const Group& group, MemberComparer& comparer, Attachment& attachment,
                       Incarnation incarnation);
  Status Announce(const Group& group, ServerId member, Incarnation incarnation);

  ReplicaContext& context_;
  BlockRepair& repair_;
  WritePath& writes_;
  SystemClock clock_;
  absl::Mutex mu_;
  absl::flat_hash_map<PgId, Job> jobs_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<ServerId, Probe> probes_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn
