// The cluster map as it is applied now, parsed once per change instead of once per heartbeat.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "cairn/v1/common.pb.h"
#include "cairn/v1/records.pb.h"
#include "common/ids.h"
#include "common/status.h"
#include "metaserver/replicated_state.h"

namespace cairn {

// One state of the map. Immutable once built.
struct MapSnapshot {
  std::string cluster_id;
  uint64_t version = 0;
  std::map<PoolId, v1::Pool> pools;
  std::map<PgId, v1::PlacementGroup> groups;
  std::map<ServerId, v1::ServerRecord> servers;
  v1::Settings settings;

  // What a holder of version `since` lacks; only the version when it lacks nothing.
  v1::ClusterMap ChangesSince(uint64_t since) const;
  static v1::ServerAddress AddressOf(const v1::ServerRecord& record);
  const v1::PlacementGroup* FindGroup(PgId id) const;
  const v1::ServerRecord* FindServer(ServerId id) const;
  // The pool with this id, or for 0 the first one; nullptr when there is none.
  const v1::Pool* FindPool(PoolId id) const;
  // How many copies the group's pool wants.
  uint32_t CopiesOf(const v1::PlacementGroup& group) const;
};

// Thread-safe.
class MapCache {
 public:
  explicit MapCache(ReplicatedState& state) : state_(state) {}

  // At least as new as the last Invalidate() that returned before.
  Result<std::shared_ptr<const MapSnapshot>> Get();
  void Invalidate() { changes_.fetch_add(1); }

 private:
  ReplicatedState& state_;
  std::atomic<uint64_t> changes_{1};
  absl::Mutex mu_;
  uint64_t loaded_ ABSL_GUARDED_BY(mu_) = 0;  // value of changes_ the snapshot was read after
  std::shared_ptr<const MapSnapshot> snapshot_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn
