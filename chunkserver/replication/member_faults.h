// How the other members are doing, as this server sees them: who fails, for how long, who is full,
// and whom to report.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "chunkserver/replication/cluster_reports.h"
#include "chunkserver/replication/workers.h"
#include "common/clock.h"
#include "common/ids.h"

namespace cairn {

// Thread-safe.
class MemberFaults {
 public:
  // A member that cannot be reached is reported only after this long: one that died falls silent
  // for the metaserver meanwhile, and is then removed without anybody's word against anybody's.
  static constexpr Duration kReportAfter = std::chrono::seconds(2);
  static constexpr Duration kReportEvery = std::chrono::seconds(1);
  static constexpr Duration kAskSpaceEvery = std::chrono::seconds(1);

  MemberFaults(ClusterReports& reports, Workers& workers) : reports_(reports), workers_(workers) {}

  // It did what was asked of it in this group.
  void Answered(PgId group, ServerId server);
  // An ordered operation did not end well at `server`. Reports when it is time to. One without room
  // is full from now on, until it says otherwise.
  void Failed(PgId group, Epoch epoch, ServerId server, const Status& status);
  // It could not be reached when last tried: do not let others wait while it is tried again.
  bool IsUnreachable(ServerId server) const;

  void HeardSpace(ServerId server, uint64_t available_bytes, bool near_full);
  bool IsFull(ServerId server) const;
  bool IsNearFull(ServerId server) const;  // it said so of its disk
  // It was full when last heard of, and that is a while ago: ask again. True once a second.
  bool ShouldAskSpace(ServerId server);

 private:
  struct Member {
    bool unreachable = false;
    std::optional<uint64_t> available_bytes;
    bool near_full = false;
    BootTime space_heard;
  };
  struct Failing {
    BootTime since;
    std::optional<BootTime> reported;
  };

  ClusterReports& reports_;
  Workers& workers_;
  SystemClock clock_;
  mutable absl::Mutex mu_;
  absl::flat_hash_map<ServerId, Member> members_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<std::pair<PgId, ServerId>, Failing> failing_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn
