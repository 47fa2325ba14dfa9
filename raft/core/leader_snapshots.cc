// How a leader brings a snapshot to a member that needs entries the log no longer has: piece by
// piece, each asked of the driver when the one before has arrived.
#include <algorithm>
#include <utility>

#include "raft/core/raft_core.h"

namespace cairn::raft {

LogIndex Core::HeardHave(LogIndex otherwise, Time now) const {
  const Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return otherwise;
  LogIndex have = otherwise;
  for (const auto& [id, peer] : leader->peers) {
    if (!IsActive(peer, now)) continue;
    const bool coming = peer.snapshot && peer.snapshot->index;
    have = std::min(have, std::max(peer.match, coming ? *peer.snapshot->index : LogIndex()));
  }
  return have;
}

void Core::BeginSnapshot(Progress& peer, Time now) {
  peer.in_flight.clear();
  peer.probing = true;
  peer.snapshot = SnapshotTransfer();
  peer.snapshot->sent_at = now;
}

void Core::TickSnapshot(ServerId id, Progress& peer, Time now) {
  SnapshotTransfer& transfer = *peer.snapshot;
  const bool silent = now - transfer.sent_at > options_.election_max;
  if (silent) {
    transfer.wanted = true;
    transfer.asked = false;
  }
  // A peer that does not answer at all is left alone until it does.
  if (!transfer.wanted || transfer.asked || now - peer.heard > options_.election_max) return;
  transfer.asked = true;
  transfer.sent_at = now;
  wanted_.push_back({id, transfer.index, transfer.offset});
}

void Core::SupplySnapshot(ServerId id, std::optional<SnapshotPiece> piece, Time now) {
  Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return;
  const auto peer = leader->peers.find(id);
  if (peer == leader->peers.end() || !peer->second.snapshot) return;
  SnapshotTransfer& transfer = *peer->second.snapshot;
  if (!transfer.asked || !piece) return;  // without one it is asked for again after a while
  transfer.wanted = transfer.asked = false;
  transfer.index = piece->point.index;
  transfer.offset = piece->offset;
  transfer.end = piece->offset + piece->data.size();
  transfer.last = piece->last;
  transfer.sent_at = now;
  piece->sent_at = Stamp(now);
  Message message = MessageTo(id, hard_state_.term);
  message.body = *std::move(piece);
  messages_.push_back(std::move(message));
}

void Core::OnSnapshotReply(const Message& message, const SnapshotReply& reply, Time now) {
  Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || message.term != hard_state_.term) return;
  const auto peer = leader->peers.find(message.from);
  if (peer == leader->peers.end()) return;
  NoteAnswer(peer->second, reply.sent_at, now);
  GrantReads(now);
  if (!peer->second.snapshot) return;
  SnapshotTransfer& transfer = *peer->second.snapshot;
  if (transfer.wanted || transfer.index != reply.index) return;
  const bool arrived = reply.next_offset == transfer.end;
  // Anything but the piece just sent, or the place where it belongs, and it begins anew.
  if (arrived) {
    transfer.offset = transfer.end;
  } else if (reply.next_offset != transfer.offset) {
    transfer.index.reset();
    transfer.offset = 0;
  }
  transfer.wanted = true;
  TickSnapshot(message.from, peer->second, now);
}

}  // namespace cairn::raft
