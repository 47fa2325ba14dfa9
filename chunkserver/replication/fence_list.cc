#include "chunkserver/replication/fence_list.h"

#include <algorithm>
#include <chrono>

#include "common/logging.h"
#include "rpc/chunk_token.h"

namespace cairn {

SessionUsePtr FenceList::UseOf(SessionId session) {
  absl::MutexLock lock(&mu_);
  return UseLocked(session);
}

SessionUsePtr FenceList::UseLocked(SessionId session) {
  if (const auto found = uses_.find(session); found != uses_.end()) return found->second;
  if (uses_.size() >= look_at_size_) ForgetUnused();
  return uses_.emplace(session, std::make_shared<SessionUse>()).first->second;
}

Status FenceList::Check(SessionId session) const {
  if (shut_count_.load() == 0) return OkStatus();
  absl::ReaderMutexLock lock(&mu_);
  const auto found = uses_.find(session);
  if (found == uses_.end() || !found->second->is_shut_out()) return OkStatus();
  return Status::Error(ErrorCode::kFenced, "session {} is shut out", session);
}

bool FenceList::Take(const v1::HeartbeatResponse& answer) {
  absl::MutexLock lock(&mu_);
  if (answer.last_fence() < known_) known_ = 0;  // another history: all of it came
  for (const v1::Fence& fence : answer.fences()) {
    if (fence.sequence() > known_) ShutOut(fence);
  }
  const bool cut_short = answer.fences_size() >= kMostFencesAtOnce;
  known_ = cut_short ? answer.fences(answer.fences_size() - 1).sequence() : answer.last_fence();
  ForgetOlderThan(answer.time().seconds() -
                  std::chrono::duration_cast<std::chrono::seconds>(kFenceKept).count());
  shut_count_ = shut_.size();
  return known_ >= answer.last_fence();
}

void FenceList::ShutOut(const v1::Fence& fence) {
  const SessionId session(fence.session());
  const SessionUsePtr use = UseLocked(session);
  use->ShutOut();
  shut_.push_back({fence.sequence(), session, fence.time().seconds()});
  unfinished_.emplace_back(fence.sequence(), use);
  LOG_INFO("session is shut out session={} fence={} idle={}", session, fence.sequence(),
           use->idle());
}

void FenceList::ForgetOlderThan(int64_t seconds) {
  while (!shut_.empty() && shut_.front().time_seconds < seconds) {
    uses_.erase(shut_.front().session);
    shut_.pop_front();
  }
}

void FenceList::ForgetUnused() {
  absl::erase_if(uses_, [](const auto& entry) {
    const SessionUse& use = *entry.second;
    return entry.second.use_count() == 1 && use.idle() && !use.is_shut_out();
  });
  look_at_size_ = std::max<size_t>(1024, uses_.size() * 2);
}

uint64_t FenceList::known() const {
  absl::ReaderMutexLock lock(&mu_);
  return known_;
}

uint64_t FenceList::Finished() {
  absl::MutexLock lock(&mu_);
  while (!unfinished_.empty() && unfinished_.front().second->idle()) unfinished_.pop_front();
  return unfinished_.empty() ? known_ : unfinished_.front().first - 1;
}

}  // namespace cairn
