// Whom a server believes what it says of others.
#pragma once

#include "rpc/dispatcher.h"

namespace cairn {

// A certificate of the cluster's CA, root, and this server's own user. Not trusted is any other
// user of this host that came in by the UNIX socket: it is itself, nobody else (DESIGN 3).
bool IsTrusted(const PeerIdentity& peer);

}  // namespace cairn
