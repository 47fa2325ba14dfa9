#include "raft/single_member_log.h"

#include <pthread.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/logging.h"

namespace cairn {

namespace {

constexpr size_t kReplayBytes = 1u << 20;
// After so many flushes on behalf of others a proposer hands the work on and returns.
constexpr int kRoundsPerProposer = 64;

// The proposer that finds no flush under way flushes on its own thread: alone, it pays no hand-off.
// Those who come meanwhile leave their command in the queue and share the next flush.
class SingleMemberLog final : public ReplicatedLog {
 public:
  SingleMemberLog(std::unique_ptr<LogStorage> storage, StateMachine& machine,
                  const SingleMemberLogOptions& options)
      : machine_(machine), options_(options), term_(storage->term()),
        storage_(std::move(storage)), compact_at_segments_(options.kept_segments + 1) {}
  ~SingleMemberLog() override { Stop(); }

  Status Replay();
  void Start() {
    relief_ = std::thread([this] { RunRelief(); });
    pthread_setname_np(relief_.native_handle(), "log-relief");
  }

  void Propose(std::string command, Done done) override;
  bool IsLeader() const override { return true; }
  Term CurrentTerm() const override { return term_; }
  void Stop() override;

 private:
  struct Proposal {
    std::string command;
    Done done;
  };

  // The answer for a proposal that cannot be taken.
  Status Refusal(size_t command_bytes) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Commits what is queued; false when nothing was and the role of the flusher is given up.
  bool FlushRound();
  std::vector<Proposal> TakeBatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::vector<LogEntry> MakeEntries(std::vector<Proposal>& batch);
  void Commit(std::vector<Proposal> batch);
  void CompactWhenDue();
  void FailFrom(const Status& cause);
  void RunRelief();

  StateMachine& machine_;
  const SingleMemberLogOptions options_;
  const Term term_;
  // Touched only by whoever is the flusher.
  std::unique_ptr<LogStorage> storage_;
  size_t compact_at_segments_;

  absl::Mutex mu_;  // not held while a Done, the state machine or the disk is at work
  std::vector<Proposal> queue_ ABSL_GUARDED_BY(mu_);
  bool flushing_ ABSL_GUARDED_BY(mu_) = false;   // somebody is the flusher
  bool relieved_ ABSL_GUARDED_BY(mu_) = false;   // the role waits for the relief thread
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  Status failure_ ABSL_GUARDED_BY(mu_);

  // Not an absl::Condition: that one would be evaluated at every unlock of mu_.
  absl::CondVar relief_wanted_;

  absl::Mutex stop_mu_;  // one Stop() at a time; acquired before mu_
  std::thread relief_;
};

Status SingleMemberLog::Replay() {
  LogIndex applied = machine_.AppliedIndex();
  if (storage_->first_index().value > applied.value + 1) {
    return Status::Error(ErrorCode::kCorruption,
                         "the state ends at entry {}, the log begins at {}: entries are lost",
                         applied, storage_->first_index());
  }
  const LogIndex begin = applied;
  while (applied < storage_->last_index()) {
    ASSIGN_OR_RETURN(std::vector<LogEntry> entries,
                     storage_->Read(LogIndex(applied.value + 1), kReplayBytes));
    machine_.Apply(entries);
    applied = entries.back().index;
  }
  LOG_INFO("log opened term={} first={} last={} replayed={}", term_, storage_->first_index(),
           storage_->last_index(), applied.value - begin.value);
  return OkStatus();
}

Status SingleMemberLog::Refusal(size_t command_bytes) const {
  if (stopping_) return Status::Error(ErrorCode::kCancelled, "the log is stopping");
  if (command_bytes > log_format::kMaxCommandBytes) {
    return Status::Error(ErrorCode::kTooLarge, "a command of {} bytes", command_bytes);
  }
  return failure_;
}

void SingleMemberLog::Propose(std::string command, Done done) {
  Status refused;
  {
    absl::MutexLock lock(&mu_);
    refused = Refusal(command.size());
    if (refused.ok()) {
      queue_.push_back({std::move(command), std::move(done)});
      if (std::exchange(flushing_, true)) return;
    }
  }
  if (!refused.ok()) return done(Fail(refused));
  for (int round = 0; round < kRoundsPerProposer; ++round) {
    if (!FlushRound()) return;
  }
  absl::MutexLock lock(&mu_);
  relieved_ = true;
  relief_wanted_.Signal();
}

void SingleMemberLog::RunRelief() {
  for (;;) {
    {
      absl::MutexLock lock(&mu_);
      while (!relieved_ && !stopped_) relief_wanted_.Wait(&mu_);
      if (!std::exchange(relieved_, false)) return;
    }
    while (FlushRound()) {
    }
  }
}

bool SingleMemberLog::FlushRound() {
  std::vector<Proposal> batch;
  {
    absl::MutexLock lock(&mu_);
    if (queue_.empty()) {
      flushing_ = false;
      return false;
    }
    batch = TakeBatch();
  }
  Commit(std::move(batch));
  return true;
}

std::vector<SingleMemberLog::Proposal> SingleMemberLog::TakeBatch() {
  std::vector<Proposal> batch;
  size_t bytes = 0;
  auto next = queue_.begin();
  for (; next != queue_.end(); ++next) {
    bytes += next->command.size();
    if (!batch.empty() && bytes > options_.max_batch_bytes) break;
    batch.push_back(std::move(*next));
  }
  queue_.erase(queue_.begin(), next);
  return batch;
}

std::vector<LogEntry> SingleMemberLog::MakeEntries(std::vector<Proposal>& batch) {
  LogIndex index = storage_->last_index();
  std::vector<LogEntry> entries;
  entries.reserve(batch.size());
  for (Proposal& proposal : batch) {
    ++index.value;
    entries.push_back({term_, index, std::move(proposal.command)});
  }
  return entries;
}

void SingleMemberLog::Commit(std::vector<Proposal> batch) {
  std::vector<LogEntry> entries = MakeEntries(batch);
  Status status = storage_->Append(entries);
  if (!status.ok()) {
    if (status.code() != ErrorCode::kNoSpace) FailFrom(status);
    for (Proposal& proposal : batch) proposal.done(Fail(status));
    return;
  }
  // Nothing leaves before this line: the entries are on disk (rule M1).
  std::vector<std::string> outcomes = machine_.Apply(entries);
  CAIRN_CHECK(outcomes.size() == batch.size());
  for (size_t i = 0; i < batch.size(); ++i) batch[i].done(std::move(outcomes[i]));
  CompactWhenDue();
}

void SingleMemberLog::CompactWhenDue() {
  if (storage_->segment_count() < compact_at_segments_) return;
  Result<LogIndex> durable = machine_.MakeDurable();
  Status status = durable.has_value() ? storage_->Compact(*durable) : durable.error();
  if (status.code() == ErrorCode::kNoSpace) {
    LOG_WARN("log not compacted, it grows until there is room error={}", status);
  } else if (!status.ok()) {
    FailFrom(status);
  }
  compact_at_segments_ = std::max(storage_->segment_count(), options_.kept_segments) + 1;
}

// A disk that failed once is not asked again (rule M4).
void SingleMemberLog::FailFrom(const Status& cause) {
  LOG_ERROR("metadata log failed, nothing is committed any more cause={}", cause);
  std::vector<Proposal> orphans;
  Status failure = Status::Error(ErrorCode::kDiskFailed, "{}", cause.message());
  {
    absl::MutexLock lock(&mu_);
    if (failure_.ok() && options_.on_failed) options_.on_failed(failure);
    failure_ = failure;
    orphans.swap(queue_);
  }
  for (Proposal& proposal : orphans) proposal.done(Fail(failure));
}

void SingleMemberLog::Stop() {
  absl::MutexLock stop_lock(&stop_mu_);
  if (!relief_.joinable()) return;
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
    auto idle = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return !flushing_; };
    // The storage cannot be taken from under a flush, however slow the disk is.
    while (!mu_.AwaitWithTimeout(absl::Condition(&idle), absl::Seconds(10))) {
      LOG_WARN("log still waits for its disk to stop");
    }
    stopped_ = true;
    relief_wanted_.Signal();
  }
  relief_.join();
  Status closed = storage_->Close();
  if (!closed.ok()) LOG_WARN("log not closed cleanly error={}", closed);
}

}  // namespace

Result<std::unique_ptr<ReplicatedLog>> OpenSingleMemberLog(const std::string& directory,
                                                           FileSystem& files,
                                                           StateMachine& machine,
                                                           const SingleMemberLogOptions& options) {
  ASSIGN_OR_RETURN(
      std::unique_ptr<LogStorage> storage,
      LogStorage::Open(directory, files, machine.AppliedIndex(), options.storage));
  auto log = std::make_unique<SingleMemberLog>(std::move(storage), machine, options);
  RETURN_IF_ERROR(log->Replay());
  log->Start();
  return log;
}

}  // namespace cairn
