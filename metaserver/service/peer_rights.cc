#include "metaserver/service/peer_rights.h"

#include <algorithm>

namespace cairn {

namespace {

bool InGroup(const PeerIdentity& peer, uint32_t gid) {
  return peer.gid == gid ||
         std::find(peer.groups.begin(), peer.groups.end(), gid) != peer.groups.end();
}

}  // namespace

std::optional<uint32_t> ConfinedTo(const PeerIdentity& peer) {
  return IsTrusted(peer) ? std::nullopt : std::optional(peer.uid);
}

Status CheckVouches(const PeerIdentity& peer, const v1::Caller& caller) {
  if (IsTrusted(peer)) return OkStatus();
  if (peer.uid != caller.uid()) {
    return Status::Error(ErrorCode::kPermission, "user {} may not speak for user {}", peer.uid,
                         caller.uid());
  }
  const bool groups = std::all_of(caller.groups().begin(), caller.groups().end(),
                                  [&](uint32_t gid) { return InGroup(peer, gid); });
  if (groups && InGroup(peer, caller.gid())) return OkStatus();
  return Status::Error(ErrorCode::kPermission, "user {} is not in the groups it names", peer.uid);
}

}  // namespace cairn
