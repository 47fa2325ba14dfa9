// What the other end of a connection may ask for. A certificate of the cluster's CA, root and this
// server's own user are trusted: they vouch for whom they speak. Any other user of this host comes
// in by the UNIX socket and is itself, nobody else (DESIGN 3).
#pragma once

#include <optional>

#include "cairn/v1/common.pb.h"
#include "common/status.h"
#include "rpc/dispatcher.h"

namespace cairn {

bool IsTrusted(const PeerIdentity& peer);
// Set: the peer is this one user.
std::optional<uint32_t> ConfinedTo(const PeerIdentity& peer);
// May `peer` speak for `caller`, its group and its supplementary groups? kPermission.
Status CheckVouches(const PeerIdentity& peer, const v1::Caller& caller);

}  // namespace cairn
