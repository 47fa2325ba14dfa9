#include "client/open_registry.h"

#include <algorithm>

#include "client/backoff.h"

namespace cairn::client {

void OpenRegistry::Reset(SessionId session) {
  absl::MutexLock lock(&mu_);
  if (session_ == session) return;
  session_ = session;
  holds_.clear();
  queue_.clear();
  extended_.clear();
  spoilt_.clear();
}

Status OpenRegistry::Begin(InodeId inode, Deadline deadline) {
  absl::MutexLock lock(&mu_);
  auto settled = [&]() ABSL_SHARED_LOCKS_REQUIRED(mu_) { return !closing_.contains(inode); };
  if (!AwaitUntil(mu_, settled, deadline)) {
    return Status::Error(ErrorCode::kDeadlineExceeded, "closing inode {} is not answered",
                         inode.value);
  }
  ++holds_[inode];
  return OkStatus();
}

void OpenRegistry::Retain(InodeId inode) {
  absl::MutexLock lock(&mu_);
  ++holds_[inode];
}

void OpenRegistry::Release(SessionId session, InodeId inode, Extension::Standing extension) {
  absl::MutexLock lock(&mu_);
  if (session != session_) return;
  if (extension == Extension::Standing::kAnnounced) extended_.insert(inode);
  if (extension == Extension::Standing::kSpoilt) spoilt_.insert(inode);
  auto it = holds_.find(inode);
  if (it == holds_.end() || --it->second > 0) return;
  holds_.erase(it);
  queue_.insert(inode);
}

bool OpenRegistry::IsExtended(InodeId inode) const {
  return extended_.contains(inode) && !spoilt_.contains(inode);
}

bool OpenRegistry::IsSpoilt(SessionId session, InodeId inode) const {
  absl::MutexLock lock(&mu_);
  return session == session_ && spoilt_.contains(inode);
}

std::vector<InodeId> OpenRegistry::TakeClosable(size_t most) {
  absl::MutexLock lock(&mu_);
  for (auto it = queue_.begin(); it != queue_.end() && closing_.size() < most;) {
    if (!holds_.contains(*it)) closing_.insert(*it);
    queue_.erase(it++);
  }
  if (!closing_.empty()) ++rounds_;
  return {closing_.begin(), closing_.end()};
}

std::vector<InodeId> OpenRegistry::ClosingExtended() const {
  absl::MutexLock lock(&mu_);
  std::vector<InodeId> extended;
  for (InodeId inode : closing_) {
    if (IsExtended(inode)) extended.push_back(inode);
  }
  return extended;
}

void OpenRegistry::FinishClose(bool told) {
  absl::MutexLock lock(&mu_);
  if (closing_.empty()) return;
  if (!told) {
    queue_.insert(closing_.begin(), closing_.end());
  } else {
    for (InodeId inode : closing_) extended_.erase(inode);
  }
  closing_.clear();
  ++rounds_;
}

uint64_t OpenRegistry::close_rounds() const {
  absl::MutexLock lock(&mu_);
  return rounds_;
}

size_t OpenRegistry::queued() const {
  absl::MutexLock lock(&mu_);
  return queue_.size();
}

bool OpenRegistry::any_extended() const {
  absl::MutexLock lock(&mu_);
  return std::any_of(queue_.begin(), queue_.end(),
                     [this](InodeId inode) ABSL_SHARED_LOCKS_REQUIRED(mu_) {
                       return IsExtended(inode);
                     });
}

std::vector<InodeId> OpenRegistry::Held() const {
  absl::MutexLock lock(&mu_);
  std::vector<InodeId> held;
  held.reserve(holds_.size());
  for (const auto& [inode, count] : holds_) held.push_back(inode);
  return held;
}

}  // namespace cairn::client
