// The Cluster service: chunkservers join, beat, report and say who has caught up.
#pragma once

#include <functional>
#include <vector>

#include "metaserver/cluster/group_activation.h"
#include "metaserver/cluster/membership.h"
#include "rpc/dispatcher.h"

namespace cairn {

// `metaservers` says who is in the group: heartbeats are answered with it. The rest must
// outlive the dispatcher's use.
void RegisterClusterService(Dispatcher& dispatcher, Membership& membership,
                            GroupActivation& activation,
                            std::function<std::vector<v1::MetaserverMember>()> metaservers);

}  // namespace cairn
