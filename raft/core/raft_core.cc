#include "raft/core/raft_core.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "raft/core/seeded_bug.h"

namespace cairn::raft {

namespace {

// Deciding by term comes before everything else (Raft 5.1), except where no term is claimed.
bool ClaimsTerm(const Message& message) {
  const auto* request = std::get_if<VoteRequest>(&message.body);
  const auto* reply = std::get_if<VoteReply>(&message.body);
  if (request != nullptr && request->pre) return false;
  return reply == nullptr || !reply->pre || !reply->granted;
}

bool IsFromLeader(const Message& message) {
  return std::holds_alternative<AppendRequest>(message.body) ||
         std::holds_alternative<SnapshotPiece>(message.body);
}

}  // namespace

Core::Core(const CoreOptions& options, const StartState& start, LogReader& reader, Time now)
    : options_(options),
      reader_(reader),
      hard_state_(start.hard_state),
      log_(start, reader),
      commit_(start.applied.index),
      handed_out_(start.applied.index),
      applied_(start.applied.index),
      role_(Follower()),
      random_(options.seed ^ options.self.value * 0x9e3779b97f4a7c15u ^
              options.incarnation.value * 0xbf58476d1ce4e5b9u),
      started_(now),
      start_term_(start.hard_state.term) {
  memberships_.push_back({start.applied.index, start.applied.membership});
  for (const LogEntry& entry : start.memberships) {
    Result<Membership> membership = DecodeMembership(entry.command);
    if (!membership) {
      StopBecause(membership.error());
      return;
    }
    memberships_.push_back({entry.index, *std::move(membership)});
  }
  if (start.may_have_acknowledged > start.last_index) lost_through_ = start.may_have_acknowledged;
  // It may have confirmed a lease just before it stopped, which must not outlive its promise (M6).
  // Who knows that it is alone has promised nothing to anybody; one that is about to be may have,
  // to the leader that leaves.
  const bool alone = IsAlone() && memberships_.size() == 1;
  if (!alone && !SeededBugIs(SeededBug::kNoQuietStart)) {
    quiet_until_ = now + options_.election_max;
  }
  ResetElectionTimer(now);
  if (alone) election_at_ = now;
}

bool Core::IsAlone() const {
  const Membership& members = membership();
  return members.voters.size() == 1 && members.voters.contains(options_.self) &&
         members.outgoing.empty();
}

Time Core::Stamp(Time now) {
  last_stamp_ = std::max(now, last_stamp_ + Time(1));
  return last_stamp_;
}

void Core::StopBecause(const Status& status) {
  if (failure_.ok()) failure_ = status;
}

// Whoever has started again says so with a larger incarnation; its earlier lives are not heard.
bool Core::Admits(const Message& message, Time now) {
  if (message.to != options_.self || message.from == options_.self) return false;
  Incarnation& newest = incarnations_[message.from];
  if (message.incarnation < newest && !SeededBugIs(SeededBug::kOldIncarnationHeard)) return false;
  if (message.incarnation > newest) {
    const bool known = std::exchange(newest, message.incarnation) != Incarnation();
    if (known) restarted_[message.from] = now;
    ForgetProgressOf(message.from);
  }
  return true;
}

void Core::ForgetProgressOf(ServerId id) {
  Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || SeededBugIs(SeededBug::kOldIncarnationHeard)) return;
  const auto peer = leader->peers.find(id);
  if (peer == leader->peers.end()) return;
  peer->second.match = LogIndex(0);
  peer->second.Probe(LogIndex(log_.last_index().value + 1));
}

void Core::Step(const Message& message, Time now) {
  if (!failure_.ok() || !Admits(message, now)) return;
  if (message.term > hard_state_.term && ClaimsTerm(message)) {
    const auto* vote = std::get_if<VoteRequest>(&message.body);
    // Who hears a leader is not moved by a candidate: it may have been away (Raft 4.2.3), and the
    // leader's lease stands on it (rule M6).
    if (vote != nullptr && !vote->transfer && HearsLeader(now)) return;
    BecomeFollower(message.term, IsFromLeader(message) ? message.from : ServerId(), now);
  }
  std::visit(
      [&](const auto& body) {
        using Body = std::decay_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, VoteRequest>) OnVoteRequest(message, body, now);
        if constexpr (std::is_same_v<Body, VoteReply>) OnVoteReply(message, body, now);
        if constexpr (std::is_same_v<Body, AppendRequest>) OnAppendRequest(message, body, now);
        if constexpr (std::is_same_v<Body, AppendReply>) OnAppendReply(message, body, now);
        if constexpr (std::is_same_v<Body, SnapshotPiece>) OnSnapshotPiece(message, body, now);
        if constexpr (std::is_same_v<Body, SnapshotReply>) OnSnapshotReply(message, body, now);
        if constexpr (std::is_same_v<Body, TimeoutNow>) OnTimeoutNow(message, now);
      },
      message.body);
}

void Core::Tick(Time now) {
  if (!failure_.ok()) return;
  write_blocked_ = false;
  if (write_ && !write_->seen) write_->seen = now;
  if (std::holds_alternative<Leader>(role_)) return TickLeader(now);
  if (now < election_at_) return;
  ResetElectionTimer(now);
  if (MayCampaign(now)) Campaign(/*pre=*/!IsAlone(), /*transfer=*/false, now);
}

void Core::SetHardState(Term term, ServerId vote) {
  const HardState next{term, vote};
  if (next == hard_state_) return;
  hard_state_ = next;
  ++hard_state_version_;
}

void Core::BecomeFollower(Term term, ServerId leader, Time now) {
  if (std::holds_alternative<Leader>(role_)) RefuseReads();
  if (term > hard_state_.term) SetHardState(term, ServerId());
  Follower follower;
  if (const auto* before = std::get_if<Follower>(&role_)) follower.heard = before->heard;
  follower.leader = leader;
  if (leader != ServerId()) follower.heard = now;
  role_ = follower;
  ResetElectionTimer(now);
}

Result<LogIndex> Core::Propose(std::string command, Time now) {
  Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || !failure_.ok()) return Fail(ErrorCode::kNotLeader, "not leading");
  if (leader->transfer) return Fail(ErrorCode::kBusy, "leadership is being handed over");
  if (leader->unapplied_bytes > options_.max_unapplied_bytes) {
    return Fail(ErrorCode::kBusy, "{} bytes of proposals are not yet applied",
                leader->unapplied_bytes);
  }
  const LogIndex index(log_.last_index().value + 1);
  leader->unapplied.push_back({index, command.size()});
  leader->unapplied_bytes += command.size();
  AppendEntry({hard_state_.term, index, std::move(command)});
  BroadcastEntries(now);
  return index;
}

void Core::AppendEntry(LogEntry entry) {
  if (entry.kind == EntryKind::kMembership) {
    Result<Membership> membership = DecodeMembership(entry.command);
    if (!membership) return StopBecause(membership.error());
    // In force as soon as it is in the log (Raft 4.1).
    memberships_.push_back({entry.index, *std::move(membership)});
  }
  log_.Append(std::move(entry));
}

void Core::CutLogAfter(LogIndex index) {
  CAIRN_CHECK(index >= commit_);
  log_.CutAfter(index);
  while (memberships_.back().index > index) memberships_.pop_back();
  std::erase_if(held_, [&](const Held& held) { return held.index > index; });
}

void Core::NoteCommit(LogIndex index) {
  commit_ = std::max(commit_, index);
}

void Core::Applied(LogIndex index) {
  applied_ = std::max(applied_, index);
  while (memberships_.size() > 1 && memberships_[1].index <= applied_) memberships_.pop_front();
  log_.TrimCache(log_.persisted(), options_.max_cached_bytes);
  Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return;
  while (!leader->unapplied.empty() && leader->unapplied.front().index <= applied_) {
    leader->unapplied_bytes -= leader->unapplied.front().bytes;
    leader->unapplied.pop_front();
  }
}

void Core::Compacted(LogIndex first) {
  CAIRN_CHECK(first.value <= applied_.value + 1);
  log_.Compacted(first);
}

void Core::SnapshotInstalled(const SnapshotPoint& point, Time now) {
  CAIRN_CHECK(incoming_ && incoming_->complete && incoming_->index == point.index);
  log_.Reset(point.index, point.term);
  memberships_.clear();
  memberships_.push_back({point.index, point.membership});
  write_.reset();
  held_.clear();
  commit_ = handed_out_ = applied_ = point.index;
  if (lost_through_ != LogIndex() && lost_through_ <= point.index) {
    lost_through_ = LogIndex();
    recovered_ = true;
  }
  Message reply = ReplyTo(incoming_->last_piece);
  const Time sent_at = std::get<SnapshotPiece>(incoming_->last_piece.body).sent_at;
  reply.body = AppendReply{true, point.index, LogIndex(), Term(), sent_at};
  incoming_.reset();
  ResetElectionTimer(now);
  SendWhenPersisted(std::move(reply), point.index);
}

void Core::SnapshotRefused(Time) {
  incoming_.reset();
}

ServerId Core::leader() const {
  if (std::holds_alternative<Leader>(role_)) return options_.self;
  const auto* follower = std::get_if<Follower>(&role_);
  return follower == nullptr ? ServerId() : follower->leader;
}

Term Core::LeadingTerm() const {
  return std::holds_alternative<Leader>(role_) ? hard_state_.term : Term();
}

LogIndex Core::FirstOwnIndex() const {
  const Leader* leader = std::get_if<Leader>(&role_);
  return leader != nullptr ? leader->first_own : LogIndex();
}

bool Core::Owes(uint64_t tag) const {
  if (incoming_ && incoming_->complete && incoming_->last_piece.tag == tag) return true;
  return std::any_of(held_.begin(), held_.end(),
                     [&](const Held& held) { return held.message.tag == tag; });
}

Time Core::LeaderSilence(Time now) const {
  if (std::holds_alternative<Leader>(role_)) return Time(0);
  const auto* follower = std::get_if<Follower>(&role_);
  return now - (follower != nullptr ? follower->heard.value_or(started_) : started_);
}

CoreStatus Core::Describe() const {
  CoreStatus status;
  status.term = hard_state_.term;
  status.commit = commit_;
  status.last_index = log_.last_index();
  status.persisted = log_.persisted();
  status.voting = membership().IsVoter(options_.self) && lost_through_ == LogIndex();
  status.recovering = lost_through_ != LogIndex();
  status.membership = membership();
  status.changing = membership().IsJoint() || memberships_.back().index > commit_;
  status.leader = leader();
  if (const auto* candidate = std::get_if<Candidate>(&role_)) {
    status.role = candidate->pre ? RoleKind::kPreCandidate : RoleKind::kCandidate;
  }
  const Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return status;
  status.role = RoleKind::kLeader;
  if (leader->transfer) status.transfer_target = leader->transfer->target;
  for (const auto& [id, peer] : leader->peers) {
    status.peers.push_back(
        {id, peer.match, IsActive(peer, last_stamp_), peer.snapshot.has_value()});
  }
  return status;
}

}  // namespace cairn::raft
