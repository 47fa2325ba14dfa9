// How a leader proves that it still leads: by answers to what it sent, for its lease (rule M6) and
// for reads that ask (ReadIndex, Raft 6.4).
#include <algorithm>
#include <utility>

#include "raft/core/raft_core.h"
#include "raft/core/seeded_bug.h"

namespace cairn::raft {

// It has answered a message of this term: it follows, and has promised not to vote for a while
// after that message.
void Core::NoteAnswer(Progress& peer, Time sent_at, Time now) {
  const bool late = SeededBugIs(SeededBug::kStaleLeaseRead);
  peer.confirmed = std::max(peer.confirmed, late ? now : sent_at);
  peer.heard = std::max(peer.heard, now);
}

// The time that a quorum, this leader included, has reached.
Time Core::QuorumTime(const std::function<Time(const Progress&)>& of, Time now) const {
  const Leader& leader = std::get<Leader>(role_);
  const auto reached = [&](ServerId id) -> uint64_t {
    if (id == options_.self) return static_cast<uint64_t>(now.count());
    const auto peer = leader.peers.find(id);
    return peer == leader.peers.end() ? 0 : static_cast<uint64_t>(of(peer->second).count());
  };
  return Time(static_cast<Time::rep>(membership().QuorumValue(reached)));
}

bool Core::LeaseHolds(Time now) const {
  const Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || !failure_.ok()) return false;
  if (commit_ < leader->first_own && !SeededBugIs(SeededBug::kReadBeforeOwnCommit)) return false;
  if (leader->lease_given_up && !SeededBugIs(SeededBug::kLeaseKeptInTransfer)) return false;
  if (IsAlone()) return true;
  const Time confirmed = QuorumTime([](const Progress& peer) { return peer.confirmed; }, now);
  return now < confirmed + options_.lease;
}

void Core::Read(uint64_t id, Time now) {
  Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) {
    grants_.push_back({id, false, LogIndex()});
    return;
  }
  const LogIndex index = std::max(commit_, leader->first_own);
  leader->reads.push_back({id, index, Stamp(now)});
  if (!IsAlone()) BroadcastHeartbeat(now);
  GrantReads(now);
}

// A quorum that answered a message sent after the read was asked had elected nobody else before
// (Raft 6.4).
void Core::GrantReads(Time now) {
  Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || leader->reads.empty() || commit_ < leader->first_own) return;
  const Time confirmed = QuorumTime([](const Progress& peer) { return peer.confirmed; },
                                    std::max(now, last_stamp_ + Time(1)));
  while (!leader->reads.empty() && leader->reads.front().asked < confirmed) {
    grants_.push_back({leader->reads.front().id, true, leader->reads.front().index});
    leader->reads.pop_front();
  }
}

void Core::RefuseReads() {
  for (const auto& read : std::get<Leader>(role_).reads) {
    grants_.push_back({read.id, false, LogIndex()});
  }
  std::get<Leader>(role_).reads.clear();
}

}  // namespace cairn::raft
