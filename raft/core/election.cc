// Who leads: pre-vote, vote, and the promise not to disturb a leader that is heard (Raft 3.4, 9.6).
#include <iterator>
#include <utility>

#include "raft/core/raft_core.h"
#include "raft/core/seeded_bug.h"

namespace cairn::raft {

// Lost entries may have been counted on: who votes without them may elect a leader that lacks what
// was committed (rule M5).
bool Core::MayVote(Time now) const {
  const bool damaged = lost_through_ != LogIndex() && !SeededBugIs(SeededBug::kVoteWhileDamaged);
  return !damaged && now >= quiet_until_;
}

bool Core::DiskHangs(Time now) const {
  return write_ && write_->seen && now - *write_->seen > 2 * options_.election_max;
}

// Who is removed by a change that is not committed may still be needed to commit it: nobody else
// may have a log as long ("Consensus" 4.2.2).
bool Core::MayCampaign(Time now) const {
  bool voter = membership().IsVoter(options_.self);
  if (memberships_.size() > 1 && memberships_.back().index > commit_) {
    voter = voter || std::prev(memberships_.end(), 2)->membership.IsVoter(options_.self);
  }
  return voter && MayVote(now) && !DiskHangs(now) && !(incoming_ && incoming_->complete);
}

// What is promised with every answer to a leader, whoever claims a higher term meanwhile: the
// leader's lease stands on it (rule M6).
bool Core::HearsLeader(Time now) const {
  if (std::holds_alternative<Leader>(role_)) return true;
  const auto* follower = std::get_if<Follower>(&role_);
  return follower != nullptr && follower->heard && now - *follower->heard < options_.election_min;
}

void Core::ResetElectionTimer(Time now) {
  random_ = random_ * 6364136223846793005u + 1442695040888963407u;
  const Time range = options_.election_max - options_.election_min;
  const auto spread = static_cast<uint64_t>(range.count());
  const auto extra = static_cast<Time::rep>(spread == 0 ? 0 : (random_ >> 33) % spread);
  // Never sooner than election_min after a leader was heard, not even at the end of the quiet time.
  election_at_ = std::max(now + options_.election_min, quiet_until_) + Time(extra);
}

void Core::Campaign(bool pre, bool transfer, Time now) {
  Candidate candidate;
  candidate.pre = pre;
  candidate.transfer = transfer;
  if (!pre) SetHardState(Term(hard_state_.term.value + 1), options_.self);
  if (pre || SeededBugIs(SeededBug::kVoteNotPersisted)) candidate.votes[options_.self] = true;
  role_ = std::move(candidate);
  ResetElectionTimer(now);
  for (ServerId id : membership().All()) {
    if (id == options_.self || !membership().IsVoter(id)) continue;
    Message message = MessageTo(id, pre ? Term(hard_state_.term.value + 1) : hard_state_.term);
    message.body = VoteRequest{pre, transfer, log_.last_index(), log_.last_term()};
    pre ? Send(id, std::move(message)) : SendWhenPersisted(std::move(message), LogIndex());
  }
  CountVotes(now);
}

void Core::CountVotes(Time now) {
  const auto& candidate = std::get<Candidate>(role_);
  const auto granted = [&](ServerId id) {
    const auto vote = candidate.votes.find(id);
    return vote != candidate.votes.end() && vote->second;
  };
  if (!membership().HasQuorum(granted)) return;
  candidate.pre ? Campaign(/*pre=*/false, candidate.transfer, now) : BecomeLeader(now);
}

void Core::BecomeLeader(Time now) {
  Leader leader;
  leader.first_own = LogIndex(log_.last_index().value + 1);
  role_ = std::move(leader);
  SyncPeers(now);
  AppendEntry({hard_state_.term, std::get<Leader>(role_).first_own, "", EntryKind::kNoop});
  BroadcastEntries(now);
  MaybeCommit(now);
}

void Core::OnVoteRequest(const Message& message, const VoteRequest& request, Time now) {
  Message reply = ReplyTo(message);
  const bool covers = log_.IsCoveredBy(request.last_index, request.last_term) ||
                      SeededBugIs(SeededBug::kVoteIgnoresLog);
  const bool disturbs = HearsLeader(now) && !request.transfer;
  if (request.pre) {
    const bool granted = covers && !disturbs && MayVote(now) && message.term > hard_state_.term;
    if (granted) reply.term = message.term;
    reply.body = VoteReply{true, granted};
    return Send(message.from, std::move(reply));
  }
  // The term may have been heard of otherwise, the promise to the leader holds all the same (M6);
  // a vote that was given may be told again.
  const bool free =
      (hard_state_.vote == ServerId() && !disturbs) || hard_state_.vote == message.from;
  const bool granted = message.term == hard_state_.term && free && covers && MayVote(now) &&
                       std::holds_alternative<Follower>(role_);
  reply.body = VoteReply{false, granted};
  if (!granted) return Send(message.from, std::move(reply));
  SetHardState(hard_state_.term, message.from);
  ResetElectionTimer(now);
  SendWhenPersisted(std::move(reply), LogIndex());
}

void Core::OnVoteReply(const Message& message, const VoteReply& reply, Time now) {
  auto* candidate = std::get_if<Candidate>(&role_);
  if (candidate == nullptr || candidate->pre != reply.pre) return;
  const Term expected(hard_state_.term.value + (reply.pre && reply.granted ? 1 : 0));
  if (message.term != expected) return;
  candidate->votes[message.from] = reply.granted;
  CountVotes(now);
}

void Core::OnTimeoutNow(const Message& message, Time now) {
  if (message.term != hard_state_.term || !std::holds_alternative<Follower>(role_)) return;
  if (MayCampaign(now)) Campaign(/*pre=*/false, /*transfer=*/true, now);
}

}  // namespace cairn::raft
