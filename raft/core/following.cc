// What a follower does with its leader's entries and snapshots (Raft 5.3, 7).
#include <algorithm>
#include <utility>

#include "raft/core/raft_core.h"
#include "raft/core/seeded_bug.h"

namespace cairn::raft {

void Core::OnAppendRequest(const Message& message, const AppendRequest& request, Time now) {
  Message reply = ReplyTo(message);
  if (message.term < hard_state_.term) {
    // It confirms nothing, so it bears no time: whoever sent this may lead again in a later term.
    reply.body = AppendReply{false, LogIndex(), LogIndex(), Term(), Time(0)};
    return Send(message.from, std::move(reply));
  }
  if (std::holds_alternative<Leader>(role_)) return;  // a term has one leader: not from a member
  BecomeFollower(message.term, message.from, now);
  if (incoming_ && incoming_->complete) return;          // the state is just being replaced
  const bool known = request.previous_index <= commit_;  // committed entries are everybody's
  if (!known && !log_.Matches(request.previous_index, request.previous_term)) {
    const LogIndex hint = log_.LastCommon(request.previous_index, request.previous_term);
    reply.body =
        AppendReply{false, LogIndex(), hint, log_.TermAt(hint).value_or(Term()), request.sent_at};
    return SendWhenPersisted(std::move(reply), LogIndex());
  }
  AcceptEntries(request);
  const LogIndex last =
      request.entries.empty() ? request.previous_index : request.entries.back().index;
  NoteCommit(std::min(request.commit, last));
  CheckRecovered(request);
  // A heartbeat is answered at once, however slow the disk is; that a snapshot is installed the
  // leader may learn from this alone.
  const LogIndex match =
      request.entries.empty() ? std::min(std::max(last, commit_), log_.persisted()) : last;
  reply.body = AppendReply{true, match, LogIndex(), Term(), request.sent_at};
  SendWhenPersisted(std::move(reply), match);
}

void Core::AcceptEntries(const AppendRequest& request) {
  for (const LogEntry& entry : request.entries) {
    if (entry.index <= commit_) continue;
    if (log_.Matches(entry.index, entry.term)) continue;
    if (entry.index <= log_.last_index()) {
      if (SeededBugIs(SeededBug::kConflictKept)) continue;
      CutLogAfter(LogIndex(entry.index.value - 1));
    }
    AppendEntry(entry);
  }
}

// What was lost is back when the log reaches that far again; or when a leader of a later term says
// what is committed: it was elected without this member's word, and no acknowledgement from before
// counts for it.
void Core::CheckRecovered(const AppendRequest& request) {
  if (lost_through_ == LogIndex()) return;
  const LogIndex last =
      request.entries.empty() ? request.previous_index : request.entries.back().index;
  const LogIndex on_disk = std::min(last, log_.persisted());
  const bool later_leader = hard_state_.term > start_term_ && request.commit <= on_disk &&
                            log_.Matches(request.commit, hard_state_.term);
  if (on_disk < lost_through_ && !later_leader) return;
  lost_through_ = LogIndex();
  recovered_ = true;
}

void Core::OnSnapshotPiece(const Message& message, const SnapshotPiece& piece, Time now) {
  Message reply = ReplyTo(message);
  if (message.term < hard_state_.term) {
    reply.body = AppendReply{false, LogIndex(), LogIndex(), Term(), Time(0)};
    return Send(message.from, std::move(reply));
  }
  if (std::holds_alternative<Leader>(role_)) return;
  BecomeFollower(message.term, message.from, now);
  if (incoming_ && incoming_->complete) return;
  const bool known =
      piece.point.index <= commit_ || log_.Matches(piece.point.index, piece.point.term);
  if (known) {
    incoming_.reset();
    NoteCommit(piece.point.index);
    const LogIndex match = std::min(commit_, log_.persisted());
    reply.body = AppendReply{true, match, LogIndex(), Term(), piece.sent_at};
    return SendWhenPersisted(std::move(reply), match);
  }
  if (TakePiece(message, piece) && piece.last) return;  // answered once it is installed
  const bool same = incoming_ && incoming_->index == piece.point.index;
  reply.body = SnapshotReply{piece.point.index, same ? incoming_->next_offset : 0, piece.sent_at};
  SendWhenPersisted(std::move(reply), LogIndex());
}

// False: not the piece that comes next.
bool Core::TakePiece(const Message& message, const SnapshotPiece& piece) {
  if (incoming_piece_) return false;
  if (piece.offset == 0) incoming_ = Incoming{piece.point.index, piece.point.term, 0, false, {}};
  const bool next = incoming_ && incoming_->index == piece.point.index &&
                    incoming_->term == piece.point.term && incoming_->next_offset == piece.offset;
  if (!next) return false;
  incoming_->next_offset += piece.data.size();
  incoming_piece_ = piece;
  if (!piece.last) return true;
  incoming_->complete = true;
  incoming_->last_piece = message;
  std::get<SnapshotPiece>(incoming_->last_piece.body).data.clear();
  return true;
}

}  // namespace cairn::raft
