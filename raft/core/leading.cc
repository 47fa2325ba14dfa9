// What a leader does: streams entries, commits what a quorum has on disk, gives up when nobody
// answers.
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

}  // namespace cairn::raft
