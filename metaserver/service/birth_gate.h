// Before a cluster is founded a metaserver answers Admin calls and nothing else.
#pragma once

#include <functional>

#include "rpc/dispatcher.h"

namespace cairn {

// What the carriers are to serve: every method passes to `all`, but those of Metadata and Cluster
// answer kUnavailable while `born` is false. `all` must outlive the result.
Dispatcher MakeBirthGate(const Dispatcher& all, std::function<bool()> born);

}  // namespace cairn
