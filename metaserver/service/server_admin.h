// Admin calls about chunkservers and repair: taking servers out of use, how a repair stands, what
// happened.
#pragma once

#include "metaserver/cluster/map_cache.h"
#include "metaserver/cluster/server_registry.h"
#include "metaserver/replicated_state.h"
#include "rpc/dispatcher.h"

namespace cairn {

// Everything must outlive the dispatcher's use.
struct ServerAdminParts {
  ReplicatedState* state = nullptr;
  MapCache* maps = nullptr;
  ServerRegistry* registry = nullptr;
  const Clock* clock = nullptr;
};

void RegisterServerAdmin(Dispatcher& dispatcher, ServerAdminParts parts);

}  // namespace cairn
