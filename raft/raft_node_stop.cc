// How a member ends: in order, handing over first, or because its disk cannot be trusted any more.
#include <utility>

#include "common/await.h"
#include "common/logging.h"
#include "raft/raft_node.h"

namespace cairn {

// A disk that failed once is not asked again (rule M4).
void RaftNode::StopBecause(const Status& cause) {
  const Status failure = Status::Error(ErrorCode::kDiskFailed, "{}", cause.message());
  Waiting waiting;
  {
    absl::MutexLock lock(&mu_);
    if (!failure_.ok()) return;
    failure_ = failure;
    waiting = TakeWaiting();
  }
  LOG_ERROR("metadata log failed, this metaserver does nothing any more cause={}", cause);
  if (options_.on_failed) options_.on_failed(cause);
  LetGo(std::move(waiting), failure);
}

RaftNode::Waiting RaftNode::TakeWaiting() {
  serving_term_ = 0;
  return {std::exchange(pending_, {}), std::exchange(requests_, {}), std::exchange(reads_, {})};
}

void RaftNode::LetGo(Waiting waiting, const Status& reason) {
  for (Pending& pending : waiting.proposals) pending.done(Fail(reason));
  for (auto& [tag, request] : waiting.requests) request.reply(std::nullopt);
  for (auto& [id, done] : waiting.reads) done(false);
}

void RaftNode::LeaveOffice(Deadline deadline) {
  const Status begun = TransferLeadership(ServerId());
  if (begun.code() == ErrorCode::kNotLeader) return;
  if (!begun.ok() && begun.code() != ErrorCode::kBusy) {
    LOG_INFO("leadership is not handed over reason={}", begun);
    return;
  }
  absl::MutexLock lock(&mu_);
  const auto left = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    // Whoever is to lead may need this member's vote.
    return (leading_term_ == Term() && core_->leader() != ServerId()) || !failure_.ok();
  };
  if (!AwaitUntil(mu_, absl::Condition(&left), deadline)) {
    LOG_WARN("nobody took leadership over in time");
  }
}

void RaftNode::Refuse() {
  Waiting waiting;
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
    waiting = TakeWaiting();
  }
  // Others may have what was proposed, and commit it.
  LetGo(std::move(waiting), Status(ErrorCode::kUnavailable, "the metaserver is stopping"));
}

void RaftNode::Stop() {
  Refuse();
  ticking_ = false;
  if (ticker_.joinable()) ticker_.join();
  disk_.Stop();
  apply_.Stop();
  house_.Stop();
  if (storage_ == nullptr || !Failure().ok()) return;
  if (Status closed = storage_->Close(); !closed.ok()) {
    LOG_WARN("log not closed cleanly error={}", closed);
  }
}

}  // namespace cairn
