// The cluster as placement sees it, put together from the map and from what servers last said.
#pragma once

#include "common/clock.h"
#include "metaserver/cluster/map_cache.h"
#include "metaserver/cluster/server_registry.h"
#include "metaserver/placement/plan_moves.h"

namespace cairn {

// Points into `map`. `now` decides whether a maintenance is over.
ClusterShape LookAtShape(const MapSnapshot& map, const ServerRegistry& registry, WallTime now);

}  // namespace cairn
