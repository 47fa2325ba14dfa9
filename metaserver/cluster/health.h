// What is wrong with the cluster, in words an operator can act on. Pure.
#pragma once

#include <map>
#include <vector>

#include "cairn/v1/admin.pb.h"
#include "common/clock.h"
#include "common/ids.h"
#include "metaserver/cluster/cluster_shape.h"
#include "metaserver/cluster/map_cache.h"
#include "metaserver/cluster/server_registry.h"
#include "metaserver/placement/plan_members.h"

namespace cairn {

struct ServerHealth {
  ServerView view;
  Duration silence{0};
  ServerCounters counters;
};
using ServersHealth = std::map<ServerId, ServerHealth>;

ServersHealth LookAtServers(const MapSnapshot& map, const ServerRegistry& registry);

// How many copies of its data a group has that may serve now, of those its pool wants.
enum class GroupCondition {
  kFull,         // all of them; one that moves has another member besides
  kReduced,      // some
  kUnavailable,  // none: its data cannot be reached now
};
GroupCondition ConditionOf(const v1::PlacementGroup& group, uint32_t wanted,
                           const ServersHealth& servers, uint32_t* serving = nullptr);

// In order of severity; empty when all is well.
std::vector<v1::HealthItem> DiagnoseCluster(const MapSnapshot& map, const ServersHealth& servers,
                                            const ClusterShape& shape);

}  // namespace cairn
