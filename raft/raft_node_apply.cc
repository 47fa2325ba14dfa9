// What the apply thread does: it alone changes the state, and tells who leads.
#include <utility>

#include "common/logging.h"
#include "raft/raft_node.h"

namespace cairn {

void RaftNode::ApplyCommitted() {
  for (;;) {
    std::vector<LogEntry> entries;
    {
      absl::MutexLock lock(&mu_);
      entries.swap(to_apply_);
      applying_ = !entries.empty();
      if (entries.empty()) return;
    }
    std::vector<std::string> outcomes = machine_.Apply(entries);
    CAIRN_CHECK(outcomes.size() == entries.size());
    applied_ = entries.back().index.value;
    TellLeadership();
    Answer(entries, std::move(outcomes));
    Work work;
    {
      absl::MutexLock lock(&mu_);
      core_->Applied(entries.back().index);
      work = Collect();
    }
    Finish(std::move(work));
  }
}

void RaftNode::Answer(const std::vector<LogEntry>& entries, std::vector<std::string> outcomes) {
  std::vector<std::pair<Done, std::string>> answers;
  {
    absl::MutexLock lock(&mu_);
    for (size_t i = 0; i < entries.size() && !pending_.empty(); ++i) {
      Pending& pending = pending_.front();
      if (pending.index != entries[i].index) continue;
      // Proposals of an earlier term were answered when leadership was lost.
      CAIRN_CHECK(pending.term == entries[i].term);
      answers.emplace_back(std::move(pending.done), std::move(outcomes[i]));
      pending_.pop_front();
    }
  }
  for (auto& [done, outcome] : answers) done(std::move(outcome));
}

// A leader may serve once an entry of its own term is applied: then everything that was committed
// before it is in the state (rule M6). What was told of an earlier term is taken back first,
// however late: leadership may have been lost and won again while a batch was applied.
void RaftNode::TellLeadership() {
  Term term;
  bool ready = false;
  {
    absl::MutexLock lock(&mu_);
    term = core_->LeadingTerm();
    ready = term != Term() && core_->FirstOwnIndex().value <= applied_.load();
  }
  if (term == told_term_) return;
  if (std::exchange(told_term_, Term()) != Term() && options_.observer != nullptr) {
    options_.observer->OnFollowing();
  }
  if (!ready) return;
  if (options_.observer != nullptr) options_.observer->OnLeading(term);
  told_term_ = term;
  absl::MutexLock lock(&mu_);
  if (core_->LeadingTerm() == term && !stopping_ && failure_.ok()) serving_term_ = term.value;
}

Status RaftNode::InstallFile(const raft::SnapshotPoint& point) {
  ASSIGN_OR_RETURN(const std::unique_ptr<SnapshotFileReader> reader,
                   SnapshotFileReader::Open(options_.directory, *options_.files));
  return machine_.Install(point, *reader);
}

// The state is as it was before: no room for another one, or a snapshot that is damaged.
bool RaftNode::CanBeFetchedAgain(const Status& installed) {
  return installed.code() == ErrorCode::kNoSpace || installed.code() == ErrorCode::kCorruption;
}

void RaftNode::InstallSnapshot(const raft::SnapshotPoint& point) {
  const Status status = InstallFile(point);
  if (!status.ok() && !CanBeFetchedAgain(status)) return StopBecause(status);
  disk_.Run([this, point, status] {
    status.ok() ? FinishInstall(point) : RefuseSnapshot(point, status);
  });
}

// On the disk thread. The file goes first: it may be what fills the disk.
void RaftNode::RefuseSnapshot(const raft::SnapshotPoint& point, const Status& reason) {
  LOG_WARN("a snapshot is fetched again index={} reason={}", point.index, reason);
  const Status removed = RemoveSnapshotFile(options_.directory, *options_.files);
  if (!removed.ok()) return StopBecause(removed);
  absl::MutexLock lock(&mu_);
  core_->SnapshotRefused(Now());
}

// On the disk thread. Until the file is gone a start installs it again.
void RaftNode::FinishInstall(const raft::SnapshotPoint& point) {
  Status status = storage_->Reset(LogIndex(point.index.value + 1));
  if (status.ok()) status = RemoveSnapshotFile(options_.directory, *options_.files);
  if (!status.ok()) return StopBecause(status);
  LOG_INFO("snapshot installed index={} term={}", point.index, point.term);
  applied_ = point.index.value;
  Work work;
  {
    absl::MutexLock lock(&mu_);
    core_->SnapshotInstalled(point, Now());
    work = Collect();
  }
  Finish(std::move(work));
}

}  // namespace cairn
