#include "rpc/peer_trust.h"

#include <unistd.h>

namespace cairn {

bool IsTrusted(const PeerIdentity& peer) {
  return peer.kind != PeerIdentity::Kind::kUnixSocket || peer.uid == 0 || peer.uid == geteuid();
}

}  // namespace cairn
