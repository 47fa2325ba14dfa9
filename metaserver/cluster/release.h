// How the groups of a server that is gone for good let go of it. Pure.
#pragma once

#include <string>

#include "cairn/v1/command.pb.h"
#include "common/ids.h"
#include "metaserver/cluster/map_cache.h"
#include "metaserver/cluster/server_registry.h"

namespace cairn {

// Groups that may be nowhere but on the server.
struct NeededGroups {
  uint32_t groups = 0;
  uint64_t bytes = 0;  // of those whose primary ever said it
  // What an operator has to know, and to say, before it is removed.
  std::string Text(ServerId server) const;
};

struct Release {
  v1::Command command;  // update_groups: those that have other copies; unset when there are none
  NeededGroups needed;
};

Release PlanRelease(const MapSnapshot& map, const ServerRegistry& registry, ServerId server);

}  // namespace cairn
