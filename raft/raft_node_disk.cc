// What the disk thread does: it alone writes the log and the incoming snapshot.
#include <algorithm>
#include <utility>

#include "common/logging.h"
#include "raft/raft_node.h"

namespace cairn {

namespace {
// So many times the usual log may be kept for a member that is being brought up.
constexpr size_t kGrowth = 8;
}  // namespace

void RaftNode::Write(const raft::WriteBatch& batch) {
  if (!Failure().ok()) return;
  // The hard state first, both on disk, before anyone hears of either (rules M1, M4).
  const Status status = storage_->Write(batch.hard_state, batch.entries);
  if (!status.ok()) return NotWritten(batch, status);
  if (std::exchange(disk_full_, false)) LOG_INFO("the log's disk has room again");
  Work work;
  {
    absl::MutexLock lock(&mu_);
    core_->Persisted(batch.number, Now());
    work = Collect();
  }
  Finish(std::move(work));
  CompactWhenDue();
}

void RaftNode::NotWritten(const raft::WriteBatch& batch, const Status& cause) {
  if (cause.code() != ErrorCode::kNoSpace) return StopBecause(cause);
  Work work;
  std::vector<Done> refused;
  {
    absl::MutexLock lock(&mu_);
    core_->NotPersisted(batch.number, Now());
    const LogIndex last = core_->Describe().last_index;
    while (!pending_.empty() && pending_.back().index > last) {
      refused.push_back(std::move(pending_.back().done));
      pending_.pop_back();
    }
    // Somebody whose disk has room should lead.
    if (core_->LeadingTerm() != Term()) (void)core_->TransferLeadership(ServerId(), Now());
    work = Collect();
  }
  if (!std::exchange(disk_full_, true)) LOG_WARN("the log's disk is full error={}", cause);
  segments_left_ = 0;
  CompactWhenDue();
  for (Done& done : refused) done(Fail(cause));
  Finish(std::move(work));
}

void RaftNode::ForgetLost() {
  LOG_INFO("what the log had lost is back");
  const Status status = storage_->ForgetLost();
  if (status.ok()) return;
  if (status.code() != ErrorCode::kNoSpace) return StopBecause(status);
  LOG_WARN("that nothing is lost any more is not noted, the next start asks again error={}",
           status);
}

void RaftNode::CompactWhenDue() {
  const size_t usual = std::max(options_.kept_segments + 1, segments_left_);
  if (compacting_ || storage_->segment_count() <= usual) return;
  compacting_ = true;
  house_.Run([this] {
    const Result<LogIndex> durable = machine_.MakeDurable();
    if (durable) {
      disk_.Run([this, index = *durable] { Compact(index); });
    } else if (durable.error().code() == ErrorCode::kNoSpace) {
      LOG_WARN("log not compacted, it grows until there is room error={}", durable.error());
      disk_.Run([this] { compacting_ = false; });
    } else {
      StopBecause(durable.error());
    }
  });
}

// Only what is durable in the state may go (rule M2). What was written last stays for members that
// were away; more of it while one of them is being brought up, or it would never be.
void RaftNode::Compact(LogIndex durable) {
  compacting_ = false;
  const Result<DiskSpace> space = options_.files->Space(options_.directory);
  const bool has_room = space && space->available_bytes >= space->total_bytes / 8;
  {
    // The state may be ahead of what the core knows to be applied; and the core must not look for
    // entries that are going away.
    absl::MutexLock lock(&mu_);
    durable = std::min(durable, core_->applied());
    const bool may_grow = has_room && storage_->segment_count() < kGrowth * options_.kept_segments;
    if (may_grow) durable = core_->HeardHave(durable, Now());
    core_->Compacted(storage_->FirstAfterCompact(durable, options_.kept_segments));
  }
  const Status status = storage_->Compact(durable, options_.kept_segments);
  segments_left_ = storage_->segment_count();
  if (status.ok()) return;
  if (status.code() != ErrorCode::kNoSpace) return StopBecause(status);
  LOG_WARN("log not compacted, it grows until there is room error={}", status);
}

Status RaftNode::StorePiece(const raft::SnapshotPiece& piece) {
  if (piece.offset == 0) {
    LOG_INFO("a snapshot is coming index={}", piece.point.index);
    incoming_ =
        std::make_unique<IncomingSnapshot>(options_.directory, *options_.files, piece.point);
  }
  if (incoming_ == nullptr) return Status(ErrorCode::kCorruption, "a piece without a beginning");
  return incoming_->Take(piece.offset, piece.data, piece.last);
}

void RaftNode::TakePiece(const raft::SnapshotPiece& piece,
                         const std::vector<raft::Message>& answers) {
  if (!Failure().ok()) return;
  const Status status = StorePiece(piece);
  if (status.ok()) {
    Work work;
    {
      absl::MutexLock lock(&mu_);
      TakeMessages(answers, work);
    }
    Finish(std::move(work));
    if (!piece.last) return;
  }
  incoming_.reset();
  if (status.ok()) {
    return apply_.Run([this, point = piece.point] { InstallSnapshot(point); });
  }
  if (status.code() == ErrorCode::kDiskFailed) return StopBecause(status);
  LOG_WARN("a snapshot is fetched again index={} reason={}", piece.point.index, status);
  absl::MutexLock lock(&mu_);
  core_->SnapshotRefused(Now());
}

}  // namespace cairn
