// The group of metaservers of a dev cluster: how it is born, comes back and is told apart.
#pragma once

#include "cli/admin_client.h"
#include "cli/dev/dev_cluster.h"
#include "common/clock.h"
#include "common/status.h"

namespace cairn {

// The addresses of metaserver process `number`.
v1::MetaserverAddress DevMetaserverAddress(const Shape& shape, int number);

// Founds the cluster unless that was done, and waits until a majority of its metaservers is back;
// interrupted anywhere, it goes on the next time. `warn` hears of members that lost their
// directories. kWrongCluster: so many did that nothing can be brought back, or they are not ours;
// nothing is founded or adopted then. A server that dies meanwhile ends the waiting.
Status AwaitMetaservers(DevCluster& cluster, AdminClient& client, Deadline deadline,
                        const Teller& warn);

// The process that says it leads; waits a while for one. Its number is that of the process, which
// is not always its id in the group.
Result<DevMember> FindLeader(const DevCluster& cluster);

}  // namespace cairn
