// The Admin call that says what new files of a directory get.
#pragma once

#include "metaserver/cluster/map_cache.h"
#include "metaserver/cluster/server_registry.h"
#include "metaserver/replicated_state.h"
#include "rpc/dispatcher.h"

namespace cairn {

// Everything must outlive the dispatcher's use.
struct LayoutAdminParts {
  ReplicatedState* state = nullptr;
  MapCache* maps = nullptr;
  ServerRegistry* registry = nullptr;
};

// ADMIN_SET_LAYOUT. Beyond what the operation checks, kInvalidArgument: more copies than there are
// chunkservers in service; kNotLeader: only the leader knows those.
void RegisterLayoutAdmin(Dispatcher& dispatcher, LayoutAdminParts parts);

}  // namespace cairn
