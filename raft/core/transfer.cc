// Handing leadership over ("Consensus" 3.10).
#include <utility>

#include "raft/core/raft_core.h"

namespace cairn::raft {

Status Core::TransferLeadership(ServerId target, Time now) {
  Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return Status(ErrorCode::kNotLeader, "not leading");
  if (leader->transfer) return Status(ErrorCode::kBusy, "leadership is being handed over");
  if (target == ServerId()) target = FurthestVoter(now);
  if (target == ServerId()) return WhyNobodyCanLead(now);
  const auto peer = leader->peers.find(target);
  if (peer == leader->peers.end() || !membership().voters.contains(target)) {
    return Status::Error(ErrorCode::kNotFound, "there is no other voter {}", target);
  }
  if (!IsActive(peer->second, now)) {
    return Status::Error(ErrorCode::kBelowMinActive, "metaserver {} is not heard", target);
  }
  if (IsQuiet(target, now)) {
    return Status::Error(ErrorCode::kUnavailable, "metaserver {} has only just started", target);
  }
  leader->transfer = Leader::Transfer{target, now + options_.election_max, false};
  // From the moment somebody may be told to campaign, no read is answered on the lease, however
  // late that message arrives (rule M6).
  leader->lease_given_up = true;
  MaybeHandOver(now);
  return OkStatus();
}

Status Core::WhyNobodyCanLead(Time now) const {
  for (const auto& [id, peer] : std::get<Leader>(role_).peers) {
    if (!membership().voters.contains(id) || !IsActive(peer, now)) continue;
    return Status::Error(ErrorCode::kUnavailable, "metaserver {} has only just started", id);
  }
  return Status(ErrorCode::kBelowMinActive, "no other voter is heard");
}

// Has it answered this leader, and lately?
bool Core::IsActive(const Progress& peer, Time now) const {
  return peer.confirmed != Time{} && now - peer.heard <= options_.election_max;
}

// After a start nobody campaigns for a while (rule M6); clocks may differ by 5 %.
bool Core::IsQuiet(ServerId id, Time now) const {
  const auto restarted = restarted_.find(id);
  return restarted != restarted_.end() &&
         now - restarted->second < options_.election_max + options_.election_max / 8;
}

// Of the others that are heard and may campaign; 0: there are none.
ServerId Core::FurthestVoter(Time now) const {
  ServerId furthest;
  LogIndex match;
  for (const auto& [id, peer] : std::get<Leader>(role_).peers) {
    if (!membership().voters.contains(id) || !IsActive(peer, now) || IsQuiet(id, now)) continue;
    if (furthest != ServerId() && peer.match <= match) continue;
    furthest = id;
    match = peer.match;
  }
  return furthest;
}

void Core::TellToCampaign(ServerId target) {
  Message message = MessageTo(target, hard_state_.term);
  message.body = TimeoutNow();
  messages_.push_back(std::move(message));
}

void Core::MaybeHandOver(Time now) {
  Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || !leader->transfer || leader->transfer->told) return;
  const auto target = leader->peers.find(leader->transfer->target);
  if (target == leader->peers.end()) return;
  if (target->second.match < log_.last_index()) {
    return SendEntries(target->first, target->second, now);
  }
  leader->transfer->told = true;
  TellToCampaign(target->first);
}

}  // namespace cairn::raft
