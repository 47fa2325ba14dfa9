// What the other end of a connection may ask for: trusted peers (rpc/peer_trust.h) vouch for whom
// they speak, any other is one user of this host.
#pragma once

#include <optional>

#include "cairn/v1/common.pb.h"
#include "common/status.h"
#include "rpc/peer_trust.h"

namespace cairn {

// Set: the peer is this one user.
std::optional<uint32_t> ConfinedTo(const PeerIdentity& peer);
// May `peer` speak for `caller`, its group and its supplementary groups? kPermission.
Status CheckVouches(const PeerIdentity& peer, const v1::Caller& caller);

}  // namespace cairn
