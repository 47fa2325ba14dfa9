// Which members answered when they were last asked to take part in something, so that one that is
// silent costs one thread and not all.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "chunkserver/replication/member_comparer.h"

namespace cairn {

// Thread-safe.
class MemberProbes {
 public:
  explicit MemberProbes(ReplicaContext& context) : context_(context) {}

  // Asks the member to take part. kUnavailable at once: it is known to be silent, and another job
  // is finding out whether it still is.
  Result<Incarnation> Begin(MemberComparer& comparer);

 private:
  struct Probe {
    bool silent = false;     // it did not answer the last time
    bool under_way = false;  // someone is asking again
  };

  ReplicaContext& context_;
  absl::Mutex mu_;
  absl::flat_hash_map<ServerId, Probe> probes_ ABSL_GUARDED_BY(mu_);
};

// The call may or may not have been carried out.
bool OutcomeIsUnknown(const Status& status);

}  // namespace cairn
