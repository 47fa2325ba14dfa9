// A cluster is born once, on a metaserver with an empty directory, when an operator says so.
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
  std::function<void()> on_born;
};

// Commits the birth, then writes the directory's identity. Asking again with the same id is ok;
// kWrongCluster: this is another cluster already; kInvalidArgument: the request makes no cluster.
// `done` runs once, after both.
void FoundCluster(const BirthParts& parts, const v1::FoundClusterRequest& request,
                  std::function<void(Status)> done);

// Gives the directory the identity of the cluster its state says it belongs to: a crash may have
// come between the two. kWrongCluster: they differ, someone mixed directories up.
Status AdoptIdentity(const MapSnapshot& map, DataDirectory& directory);

}  // namespace cairn
