// What leaves the core: messages, some of which wait for the disk, writes and committed entries.
#include <algorithm>
#include <utility>

#include "raft/core/raft_core.h"
#include "raft/core/seeded_bug.h"

namespace cairn::raft {

namespace {
constexpr size_t kMaxBatchBytes = 4u << 20;
}  // namespace

Message Core::MessageTo(ServerId to, Term term) const {
  Message message;
  message.from = options_.self;
  message.to = to;
  message.term = term;
  message.incarnation = options_.incarnation;
  return message;
}

Message Core::ReplyTo(const Message& request) const {
  Message reply = MessageTo(request.from, hard_state_.term);
  reply.tag = request.tag;
  return reply;
}

void Core::Send(ServerId to, Message message) {
  message.to = to;
  messages_.push_back(std::move(message));
}

void Core::SendWhenPersisted(Message message, LogIndex index) {
  held_.push_back({hard_state_version_, index, std::move(message)});
  ReleaseHeld();
}

void Core::ReleaseHeld() {
  const auto on_disk = [this](const Held& held) {
    const bool vote = std::holds_alternative<VoteRequest>(held.message.body) ||
                      std::holds_alternative<VoteReply>(held.message.body);
    if (vote && SeededBugIs(SeededBug::kVoteNotPersisted)) return true;
    if (!vote && SeededBugIs(SeededBug::kAckBeforePersist)) return true;
    return held.hard_state_version <= persisted_hard_state_ && held.index <= log_.persisted();
  };
  auto keep = held_.begin();
  for (auto held = held_.begin(); held != held_.end(); ++held) {
    if (on_disk(*held)) {
      messages_.push_back(std::move(held->message));
    } else {
      if (keep != held) *keep = std::move(*held);
      ++keep;
    }
  }
  held_.erase(keep, held_.end());
}

void Core::Persisted(uint64_t number, Time now) {
  if (!write_ || write_->number != number) return;  // a snapshot came between
  persisted_hard_state_ = std::max(persisted_hard_state_, write_->hard_state_version);
  if (write_->index != LogIndex()) log_.MarkPersisted(write_->index, write_->term);
  write_.reset();
  log_.TrimCache(log_.persisted(), options_.max_cached_bytes);
  ReleaseHeld();
  if (auto* candidate = std::get_if<Candidate>(&role_);
      candidate != nullptr && !candidate->pre && persisted_hard_state_ == hard_state_version_) {
    candidate->votes[options_.self] = true;  // its own vote counts once it cannot be forgotten
    CountVotes(now);
  }
  if (std::holds_alternative<Leader>(role_)) MaybeCommit(now);
}

void Core::NotPersisted(uint64_t number, Time) {
  if (!write_ || write_->number != number) return;
  write_.reset();
  write_blocked_ = true;
  // What a member alone could not store, and nobody else has heard of, never was.
  if (IsAlone() && membership().learners.empty() && std::holds_alternative<Leader>(role_)) {
    Leader& leader = std::get<Leader>(role_);
    // But for the entry that its term begins with: without it nothing would ever be committed.
    CutLogAfter(std::max({log_.persisted(), commit_, leader.first_own, leader.sent}));
    while (!leader.unapplied.empty() && leader.unapplied.back().index > log_.last_index()) {
      leader.unapplied_bytes -= leader.unapplied.back().bytes;
      leader.unapplied.pop_back();
    }
  }
}

void Core::FillWrite(Ready& ready) {
  if (write_ || write_blocked_ || (incoming_ && incoming_->complete)) return;
  const bool hard_state = hard_state_version_ > persisted_hard_state_;
  const LogIndex from(log_.persisted().value + 1);
  if (!hard_state && from > log_.last_index()) return;
  WriteBatch batch;
  batch.number = ++last_write_;
  if (hard_state) batch.hard_state = hard_state_;
  if (from <= log_.last_index()) {
    Result<std::vector<LogEntry>> entries = log_.Read(from, log_.last_index(), kMaxBatchBytes);
    if (!entries) return StopBecause(entries.error());
    batch.entries = *std::move(entries);
  }
  write_ = {batch.number, hard_state_version_, LogIndex(), Term(), std::nullopt};
  if (!batch.entries.empty()) {
    write_->index = batch.entries.back().index;
    write_->term = batch.entries.back().term;
  }
  ready.write = std::move(batch);
}

void Core::FillCommitted(Ready& ready) {
  if (incoming_ && incoming_->complete) return;
  if (handed_out_ > applied_) return;  // one batch at a time: the rest stays on disk meanwhile
  // Not before it is on this member's disk as well: a state must not run ahead of its log.
  const LogIndex through = std::min(commit_, log_.persisted());
  const LogIndex from(handed_out_.value + 1);
  if (from > through) return;
  Result<std::vector<LogEntry>> entries = log_.Read(from, through, kMaxBatchBytes);
  if (!entries) return StopBecause(entries.error());
  ready.committed = *std::move(entries);
  handed_out_ = ready.committed.back().index;
}

Ready Core::TakeReady() {
  Ready ready;
  if (!failure_.ok()) return ready;
  FillWrite(ready);
  FillCommitted(ready);
  ready.messages = std::exchange(messages_, {});
  ready.reads = std::exchange(grants_, {});
  ready.snapshots_wanted = std::exchange(wanted_, {});
  ready.incoming_piece = std::exchange(incoming_piece_, std::nullopt);
  ready.recovered = std::exchange(recovered_, false);
  return ready;
}

}  // namespace cairn::raft
