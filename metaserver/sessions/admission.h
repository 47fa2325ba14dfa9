// What decides who may use chunkservers, as it is applied now: the keys that tokens are sealed with
// and the sessions that are shut out. Parsed once per change instead of once per open or heartbeat.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "cairn/v1/cluster.pb.h"
#include "cairn/v1/records.pb.h"
#include "common/clock.h"
#include "common/status.h"
#include "metaserver/replicated_state.h"

namespace cairn {

// Until every chunkserver that holds a lease has a key that was made so long ago.
inline constexpr Duration kTokenKeySpread =
    std::chrono::ceil<std::chrono::seconds>(timing::kChunkLease + timing::kMemberRemoved);

// One state of it. Immutable once built.
struct Admission {
  std::vector<v1::TokenKey> keys;  // oldest first
  std::vector<v1::Fence> fences;   // by sequence
  uint64_t last_fence = 0;         // ever made; 0: none

  // What new tokens are sealed with: the newest key that every chunkserver with a lease has, or the
  // newest there is; nullptr: there is none.
  const v1::TokenKey* SealingKey(const WallTime& now) const;
  const v1::TokenKey* FindKey(uint32_t id) const;
  // Fences, last fence and keys for a chunkserver that knows what it says in `request`.
  void Tell(const v1::HeartbeatRequest& request, v1::HeartbeatResponse& response) const;
};

// Thread-safe.
class AdmissionCache {
 public:
  explicit AdmissionCache(ReplicatedState& state) : state_(state) {}

  // At least as new as any view of the state that was taken before.
  Result<std::shared_ptr<const Admission>> Get();
  // Around the moment in which the state shows other rows.
  void BeginChange() { changes_.fetch_add(1); }
  void EndChange() { changes_.fetch_add(1); }

 private:
  ReplicatedState& state_;
  std::atomic<uint64_t> changes_{2};  // odd: between the two, nothing is kept
  absl::Mutex mu_;
  uint64_t loaded_ ABSL_GUARDED_BY(mu_) = 0;  // value of changes_ that the rows were read at
  std::shared_ptr<const Admission> admission_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn
