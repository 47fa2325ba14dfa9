// What the namespace needs from the cluster: placement groups on first use, and room.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "metaserver/cluster/map_cache.h"
#include "metaserver/cluster/server_registry.h"
#include "metaserver/replicated_state.h"
#include "metaserver/service/cluster_view.h"

namespace cairn {

// Thread-safe. Never blocks on the log.
class ClusterResources final : public PlacementGroups, public ClusterSpace {
 public:
  ClusterResources(ReplicatedState& state, MapCache& maps, ServerRegistry& registry)
      : state_(state), maps_(maps), registry_(registry) {}

  // Groups are spread over the servers that are alive now.
  void Ensure(PoolId pool, std::function<void(Status)> done) override;
  // From what the servers said in their last heartbeats; those that are gone count only if all are.
  // All pools share the disks: the room is what files of the default pool would find in it.
  Result<Space> CurrentSpace() const override;
  bool NearFull() const override;

 private:
  struct Shares {
    uint64_t of = 0;
    std::map<ServerId, uint64_t> held;
  };
  static Shares SharesOf(const MapSnapshot& map);
  std::optional<Space> SpaceOn(const MapSnapshot& map, bool with_gone) const;
  Result<v1::Command> PlanCreation(const v1::Pool& pool, const MapSnapshot& map) const;
  Status CheckCreated(PoolId pool, const Result<v1::Outcome>& outcome);

  ReplicatedState& state_;
  MapCache& maps_;
  ServerRegistry& registry_;
};

}  // namespace cairn
