// What the carriers serve: before a cluster is founded Admin alone, and to a peer that is not
// trusted (peer_rights.h) the namespace alone.
#pragma once

#include <functional>

#include "rpc/dispatcher.h"

namespace cairn {

// Every method passes to `all`, but while `born` is false those of Metadata and Cluster answer
// kUnavailable, and what is not Metadata answers kPermission to an untrusted peer. `all` must
// outlive the result.
Dispatcher MakeServiceGate(const Dispatcher& all, std::function<bool()> born);

}  // namespace cairn
