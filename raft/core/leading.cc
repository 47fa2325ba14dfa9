// What a leader does: streams entries, commits what a quorum has on disk, proves that it still
// leads.
#include <algorithm>
#include <utility>

#include "raft/core/raft_core.h"
#include "raft/core/seeded_bug.h"

namespace cairn::raft {

void Core::SendAppend(ServerId id, Progress& peer, std::vector<LogEntry> entries, Time now) {
  AppendRequest request;
  request.previous_index =
      LogIndex(entries.empty() ? peer.next.value - 1 : entries.front().index.value - 1);
  // In the middle of a snapshot, or where the log no longer reaches, only the beginning is common.
  const std::optional<Term> term = log_.TermAt(request.previous_index);
  if (!term || peer.snapshot) request.previous_index = LogIndex(0);
  request.previous_term = request.previous_index.value == 0 ? Term(0) : *term;
  request.commit = commit_;
  request.sent_at = Stamp(now);
  request.entries = std::move(entries);
  Message message = MessageTo(id, hard_state_.term);
  message.body = std::move(request);
  messages_.push_back(std::move(message));
}

// Entries are sent as long as the window is open; what comes meanwhile goes together in the next.
void Core::SendEntries(ServerId id, Progress& peer, Time now) {
  const size_t window = peer.probing ? 1 : options_.max_inflight_appends;
  while (!peer.snapshot && peer.next <= log_.last_index() && peer.in_flight.size() < window) {
    if (peer.next < log_.first_index() || !log_.TermAt(LogIndex(peer.next.value - 1))) {
      return BeginSnapshot(peer, now);
    }
    Result<std::vector<LogEntry>> entries =
        log_.Read(peer.next, log_.last_index(), options_.max_append_bytes);
    if (!entries) return StopBecause(entries.error());
    const LogIndex last = entries->back().index;
    Leader& leader = std::get<Leader>(role_);
    leader.sent = std::max(leader.sent, last);
    SendAppend(id, peer, *std::move(entries), now);
    peer.in_flight.push_back({last, now});
    if (peer.probing) return;
    peer.next = LogIndex(last.value + 1);
  }
}

void Core::SendHeartbeat(ServerId id, Progress& peer, Time now) {
  SendAppend(id, peer, {}, now);
}

void Core::BroadcastEntries(Time now) {
  for (auto& [id, peer] : std::get<Leader>(role_).peers) SendEntries(id, peer, now);
}

void Core::BroadcastHeartbeat(Time now) {
  Leader& leader = std::get<Leader>(role_);
  leader.next_heartbeat = now + options_.heartbeat;
  for (auto& [id, peer] : leader.peers) SendHeartbeat(id, peer, now);
}

void Core::TickLeader(Time now) {
  Leader& leader = std::get<Leader>(role_);
  // A leader that a quorum does not answer is none (check-quorum): its clients should ask another.
  const Time heard = QuorumTime([](const Progress& peer) { return peer.heard; }, now);
  if (now - heard > options_.election_max) {
    return BecomeFollower(hard_state_.term, ServerId(), now);
  }
  if (leader.transfer && now >= leader.transfer->until) leader.transfer.reset();
  // What is committed by the others is not answered before it is on this disk as well.
  if (DiskHangs(now) && !leader.transfer) (void)TransferLeadership(ServerId(), now);
  if (now >= leader.next_heartbeat) BroadcastHeartbeat(now);
  for (auto& [id, peer] : leader.peers) TickPeer(id, peer, now);
  if (!failure_.ok()) return;
  MaybeCommit(now);
}

void Core::TickPeer(ServerId id, Progress& peer, Time now) {
  if (peer.snapshot) return TickSnapshot(id, peer, now);
  const bool lost =
      !peer.in_flight.empty() && now - peer.in_flight.front().sent_at > options_.election_min;
  if (lost) peer.Probe(peer.probing ? peer.next : LogIndex(peer.match.value + 1));
  SendEntries(id, peer, now);
}

// It has answered a message of this term: it follows, and has promised not to vote for a while
// after that message.
void Core::NoteAnswer(Progress& peer, Time sent_at, Time now) {
  const bool late = SeededBugIs(SeededBug::kStaleLeaseRead);
  peer.confirmed = std::max(peer.confirmed, late ? now : sent_at);
  peer.heard = std::max(peer.heard, now);
}

void Core::OnAppendReply(const Message& message, const AppendReply& reply, Time now) {
  Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || message.term != hard_state_.term) return;
  const auto found = leader->peers.find(message.from);
  if (found == leader->peers.end()) return;
  Progress& peer = found->second;
  NoteAnswer(peer, reply.sent_at, now);
  if (!reply.accepted) {
    const LogIndex common = log_.LastCommon(reply.hint_index, reply.hint_term);
    // One that comes twice, or late, tells nothing new: to answer it would double it again.
    const bool news = !peer.probing || common.value + 1 < peer.next.value;
    if (!peer.snapshot && news) {
      peer.Probe(LogIndex(std::min(peer.next.value, common.value + 1)));
    }
  } else if (reply.match > log_.last_index()) {
    return;  // no member of this term can have more than its leader
  } else {
    const bool installed =
        peer.snapshot && peer.snapshot->index && reply.match >= *peer.snapshot->index;
    if (installed) peer.snapshot.reset();
    if (!peer.snapshot && peer.probing) {
      peer.in_flight.clear();
      peer.probing = false;
      peer.next = LogIndex(std::max(peer.match, reply.match).value + 1);
    }
    peer.Advance(reply.match);
  }
  SendEntries(message.from, peer, now);
  MaybeCommit(now);
  GrantReads(now);
  MaybeHandOver(now);
}

void Core::MaybeCommit(Time now) {
  Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || membership().voters.empty()) return;
  const auto on_disk = [&](ServerId id) {
    if (id == options_.self) return log_.persisted().value;
    const auto peer = leader->peers.find(id);
    return peer == leader->peers.end() ? uint64_t{0} : peer->second.match.value;
  };
  const LogIndex index(membership().QuorumValue(on_disk));
  // Entries of earlier terms commit only with one of this term (Raft 5.4.2, figure 8).
  const bool own =
      log_.TermAt(index) == hard_state_.term || SeededBugIs(SeededBug::kCommitOldTermByCount);
  if (index <= commit_ || !own) return;
  NoteCommit(index);
  GrantReads(now);
  AdvanceMembershipChange(now);
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

Status Core::TransferLeadership(ServerId target, Time now) {
  Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return Status(ErrorCode::kNotLeader, "not leading");
  if (leader->transfer) return Status(ErrorCode::kBusy, "leadership is being handed over");
  if (target == ServerId()) target = FurthestVoter(now);
  if (target == ServerId()) {
    return Status(ErrorCode::kBelowMinActive, "no other voter is heard that could lead");
  }
  const auto peer = leader->peers.find(target);
  if (peer == leader->peers.end() || !membership().voters.contains(target)) {
    return Status::Error(ErrorCode::kNotFound, "there is no other voter {}", target);
  }
  if (!IsActive(peer->second, now)) {
    return Status::Error(ErrorCode::kBelowMinActive, "metaserver {} is not heard", target);
  }
  leader->transfer = Leader::Transfer{target, now + options_.election_max, false};
  // From the moment somebody may be told to campaign, no read is answered on the lease, however
  // late that message arrives (rule M6).
  leader->lease_given_up = true;
  MaybeHandOver(now);
  return OkStatus();
}

// Has it answered this leader, and lately?
bool Core::IsActive(const Progress& peer, Time now) const {
  return peer.confirmed != Time{} && now - peer.heard <= options_.election_max;
}

// Of the others that are heard; 0: there are none.
ServerId Core::FurthestVoter(Time now) const {
  ServerId furthest;
  LogIndex match;
  for (const auto& [id, peer] : std::get<Leader>(role_).peers) {
    if (!membership().voters.contains(id) || !IsActive(peer, now)) continue;
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
