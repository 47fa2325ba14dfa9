// Records that a primary begins to serve in a new epoch (rules C1, C3).
#pragma once

#include <functional>
#include <memory>

#include "cairn/v1/cluster.pb.h"
#include "common/status.h"
#include "metaserver/cluster/map_cache.h"
#include "metaserver/cluster/server_registry.h"
#include "metaserver/replicated_state.h"

namespace cairn {

// Thread-safe. Does not block on the log.
class GroupActivation {
 public:
  GroupActivation(ReplicatedState& state, MapCache& maps, ServerRegistry& registry)
      : state_(state), maps_(maps), registry_(registry) {}

  // Commits what can be activated. The answer holds the groups that are activated now in the epoch
  // asked for, and no map version. A group is left out when it has moved on, when the reporter is
  // not its primary, and while a leaving member may still serve an older epoch: one that is alive
  // and has not said that it knows this one. kTooLarge.
  void Activate(const v1::ActivateGroupsRequest& request,
                std::function<void(Result<v1::ActivateGroupsResponse>)> done);

 private:
  using Request = std::shared_ptr<const v1::ActivateGroupsRequest>;
  bool MayBeActivated(const v1::ActivateGroupsRequest::Group& asked, ServerId reporter,
                      const MapSnapshot& map) const;
  bool HasLeft(const v1::PlacementGroup& group, ServerId server, const MapSnapshot& map) const;
  Result<v1::ActivateGroupsResponse> Answer(const v1::ActivateGroupsRequest& request);

  ReplicatedState& state_;
  MapCache& maps_;
  ServerRegistry& registry_;
};

}  // namespace cairn
