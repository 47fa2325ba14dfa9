// The Admin service: the cluster's birth, and what operators ask. Read-only calls are answered from
// this member's own state.
#pragma once

#include <functional>
#include <vector>

#include "cairn/v1/admin.pb.h"
#include "common/data_directory.h"
#include "common/fault_plan.h"
#include "metaserver/cluster/map_cache.h"
#include "metaserver/cluster/metaserver_group.h"
#include "metaserver/cluster/server_registry.h"
#include "metaserver/replicated_state.h"
#include "rpc/dispatcher.h"

namespace cairn {

// Everything must outlive the dispatcher's use.
struct AdminServiceParts {
  ReplicatedState* state = nullptr;
  MapCache* maps = nullptr;
  ServerRegistry* registry = nullptr;
  const Clock* clock = nullptr;
  DataDirectory* directory = nullptr;
  MetaserverGroup* group = nullptr;
  FaultPlan* faults = nullptr;  // null: this build takes none
  // Open files of a session, 0 when unknown.
  std::function<uint64_t(SessionId)> open_files;
};

void RegisterAdminService(Dispatcher& dispatcher, AdminServiceParts parts);

}  // namespace cairn
