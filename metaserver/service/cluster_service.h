// The Cluster service: chunkservers join, beat, report and say who has caught up.
#pragma once

#include "metaserver/cluster/membership.h"
#include "rpc/dispatcher.h"

namespace cairn {

// `membership` must outlive the dispatcher's use.
void RegisterClusterService(Dispatcher& dispatcher, Membership& membership);

}  // namespace cairn
