// A cluster is born once, on metaservers with empty directories, when an operator says so.
#pragma once

#include <functional>

#include "cairn/v1/admin.pb.h"
#include "common/data_directory.h"
#include "common/status.h"
#include "metaserver/cluster/map_cache.h"
#include "metaserver/replicated_state.h"

namespace cairn {

struct BirthParts {
  ReplicatedState* state = nullptr;
  MapCache* maps = nullptr;
  DataDirectory* directory = nullptr;
  std::function<raft::Membership()> members;  // the group that is born with it
};

// Commits the birth, on the leader of metaservers that were adopted for this cluster. Asking again
// with the same id is ok; kWrongCluster: this is another cluster already, or was adopted for one;
// kInvalidArgument: the request makes no cluster; kNotLeader. `done` runs once.
void FoundCluster(const BirthParts& parts, const v1::FoundClusterRequest& request,
                  std::function<void(Status)> done);

// kWrongCluster: the state belongs to another cluster than the directory: someone mixed directories
// up.
Status CheckIdentity(const MapSnapshot& map, const DataDirectory& directory);

}  // namespace cairn
