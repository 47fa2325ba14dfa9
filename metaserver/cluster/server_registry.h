// What the chunkservers last said: soft state of the leader, rebuilt from heartbeats after a start.
// Who they are (address, incarnation) is committed in ServerRecord rows; this knows when they were
// heard and what they counted.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "cairn/v1/cluster.pb.h"
#include "cairn/v1/records.pb.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/status.h"
#include "metaserver/placement/plan_members.h"

namespace cairn {

// Silent for longer: not counted on, though its lease may still run.
inline constexpr Duration kAliveWithin = std::chrono::seconds(1);

// The answer to one heartbeat, kept until the next.
struct ServerCounters {
  bool known = false;  // false: no heartbeat since this metaserver started
  uint64_t total_bytes = 0;
  uint64_t available_bytes = 0;
  uint64_t checksum_errors = 0;
  uint64_t adopted_blocks = 0;
  std::vector<v1::LostChunk> damaged;
  std::vector<v1::GroupUsage> usage;     // of the groups it is the primary of
  std::vector<v1::CopyProgress> copies;  // catch-ups it runs
  v1::ScrubProgress scrub;
};

// Thread-safe.
class ServerRegistry {
 public:
  // Nobody counts as gone until a lease given before this start has surely ended (rule M8).
  explicit ServerRegistry(const Clock& clock);
  // Begins anew, as after a start: this metaserver leads from now on, and what it heard when it led
  // before is old.
  void Restart();

  // A join has been committed as `record`. A new incarnation ends a shunning: the process that was
  // shunned is dead.
  void NoteJoin(const v1::ServerRecord& record);
  // Is a join or heartbeat of this incarnation welcome? kUnavailable: it is shunned.
  Status CheckWelcome(ServerId server, Incarnation incarnation) const;
  // kNotFound: `request` is of a later start than the committed one, it must join first;
  // kStaleRequest: of an earlier one; kUnavailable: shunned. When ok, the answer is a lease.
  Status NoteHeartbeat(const v1::HeartbeatRequest& request, const v1::ServerRecord& record);

  // Refuses the server's heartbeats until ReleaseShunned, so that its lease runs out (rule C7).
  void Shun(ServerId server, const std::string& reason);
  bool IsShunned(ServerId server) const;
  // The server is about to be removed as gone: from here on it is shunned, for a lease given while
  // the removal is being committed would outlive it (rule C1). False: it was heard meanwhile, and
  // must not be removed.
  bool Condemn(const v1::ServerRecord& record);
  // The same for one that an operator removes: ReleaseShunned leaves it alone until Pardon().
  bool CondemnForRemoval(const v1::ServerRecord& record);
  void Pardon(ServerId server);
  // The monitor is about to look. If its last look is so long ago that this process must have been
  // stopped, or its host suspended, silence means nothing: it counts anew, as after a start.
  void NoteLook();
  // To be called once a gone server has been taken out of its groups.
  void ReleaseShunned(ServerId server);

  // Copies on this server are made anew elsewhere without waiting for it, until it is heard again.
  void SkipGrace(ServerId server);
  bool SkipsGrace(ServerId server) const;

  ServerView View(const v1::ServerRecord& record) const;
  // Since it was last heard, or since this metaserver started.
  Duration Silence(ServerId server) const;
  ServerCounters Counters(ServerId server) const;
  // Up to which fence nothing is under way there any more, as the process of `record` said; 0:
  // it has said nothing.
  uint64_t FencesFinished(const v1::ServerRecord& record) const;

 private:
  struct Entry {
    std::optional<BootTime> heard;
    Incarnation incarnation{0};  // of the last message
    bool shunned = false;
    bool skips_grace = false;
    bool being_removed = false;
    uint64_t fences_finished = 0;  // as this incarnation said
    ServerCounters counters;
  };
  Duration SilenceOf(const Entry* entry) const ABSL_SHARED_LOCKS_REQUIRED(mu_);
  const Entry* Find(ServerId server) const ABSL_SHARED_LOCKS_REQUIRED(mu_);
  ServerView ViewLocked(const v1::ServerRecord& record) const ABSL_SHARED_LOCKS_REQUIRED(mu_);
  bool CondemnLocked(const v1::ServerRecord& record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Status CheckWelcomeLocked(ServerId server, Incarnation incarnation) const
      ABSL_SHARED_LOCKS_REQUIRED(mu_);

  const Clock& clock_;
  mutable absl::Mutex mu_;
  BootTime patient_since_ ABSL_GUARDED_BY(mu_);  // a start, or the end of a pause
  BootTime last_look_ ABSL_GUARDED_BY(mu_);
  std::map<ServerId, Entry> entries_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn
