// Changing who is in the group, through a joint membership when voters change (Raft 4.3).
#include <algorithm>
#include <utility>

#include "raft/core/raft_core.h"

namespace cairn::raft {

Status Core::CheckChange(const Members& voters, const Members& learners) const {
  const Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return Status(ErrorCode::kNotLeader, "not leading");
  if (voters.empty()) return Status(ErrorCode::kInvalidArgument, "a group without voters");
  for (const auto& [id, address] : learners) {
    if (voters.contains(id)) {
      return Status::Error(ErrorCode::kInvalidArgument, "{} as voter and as learner", id);
    }
  }
  if (membership().IsJoint() || memberships_.back().index > commit_) {
    return Status(ErrorCode::kBusy, "a change of membership is under way");
  }
  // Until then an earlier leader's change may still be found committed.
  if (commit_ < leader->first_own) return Status(ErrorCode::kBusy, "just elected");
  if (leader->transfer) return Status(ErrorCode::kBusy, "leadership is being handed over");
  return OkStatus();
}

Result<LogIndex> Core::ProposeMembership(Members voters, Members learners, Time now) {
  RETURN_IF_ERROR(CheckChange(voters, learners));
  Membership next;
  if (voters != membership().voters) next.outgoing = membership().voters;
  next.voters = std::move(voters);
  next.learners = std::move(learners);
  return AppendMembership(next, now);
}

LogIndex Core::AppendMembership(const Membership& next, Time now) {
  const LogIndex index(log_.last_index().value + 1);
  AppendEntry({hard_state_.term, index, Encode(next), EntryKind::kMembership});
  SyncPeers(now);
  BroadcastEntries(now);
  MaybeCommit(now);
  return index;
}

// Everyone in the membership is a peer. Who left stays one until the change is committed, so that
// it hears of it.
void Core::SyncPeers(Time now) {
  Leader& leader = std::get<Leader>(role_);
  const Membership& members = membership();
  for (ServerId id : members.All()) {
    if (id == options_.self || leader.peers.contains(id)) continue;
    Progress peer;
    peer.next = LogIndex(log_.last_index().value + 1);
    peer.heard = now;
    leader.peers.emplace(id, std::move(peer));
  }
  if (memberships_.back().index > commit_) return;
  for (auto peer = leader.peers.begin(); peer != leader.peers.end();) {
    if (members.Contains(peer->first)) {
      ++peer;
      continue;
    }
    SendHeartbeat(peer->first, peer->second, now);
    peer = leader.peers.erase(peer);
  }
}

// The commit index has moved: a joint membership that is committed is left, and a leader that is no
// longer a voter hands over.
void Core::AdvanceMembershipChange(Time now) {
  if (memberships_.back().index > commit_) return;
  if (membership().IsJoint()) {
    Membership next = membership();
    next.outgoing.clear();
    AppendMembership(next, now);
    return;
  }
  SyncPeers(now);
  if (membership().voters.contains(options_.self)) return;
  BroadcastHeartbeat(now);  // all hear that it is committed
  if (const ServerId next = FurthestVoter(now); next != ServerId()) TellToCampaign(next);
  BecomeFollower(hard_state_.term, ServerId(), now);
}

}  // namespace cairn::raft
