// What the carriers serve: the namespace and the chunkservers' calls on the leader of a founded
// cluster alone; to a peer that is not trusted (peer_rights.h) the namespace alone.
#pragma once

#include "metaserver/replicated_state.h"
#include "rpc/dispatcher.h"

namespace cairn {

// Every method passes to `all`, but those of Metadata and Cluster are answered as MakeLeaderCall()
// says, and with kUnavailable before a cluster is founded; METADATA_FIND_LEADER is anybody's. What
// is not Metadata answers kPermission to an untrusted peer. `all` and `state` must outlive the
// result.
Dispatcher MakeServiceGate(const Dispatcher& all, ReplicatedState& state);

}  // namespace cairn
