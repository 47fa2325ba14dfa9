// How much unwritten data a whole mount may hold.
#pragma once

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/backoff.h"

namespace cairn::client {

// Thread-safe. Its lock is a leaf.
class WriteBudget {
 public:
  explicit WriteBudget(uint64_t limit_bytes) : limit_(limit_bytes) {}

  // False: there is no room now. A budget that is not used at all takes anything.
  bool TryAcquire(uint64_t bytes) {
    absl::MutexLock lock(&mu_);
    if (used_ != 0 && used_ + bytes > limit_) return false;
    used_ += bytes;
    return true;
  }
  // As TryAcquire, waiting for room. False: none came before the deadline.
  bool Acquire(uint64_t bytes, Deadline deadline) {
    absl::MutexLock lock(&mu_);
    auto room = [&]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
      return used_ == 0 || used_ + bytes <= limit_;
    };
    if (!AwaitUntil(mu_, room, deadline)) return false;
    used_ += bytes;
    return true;
  }
  void Release(uint64_t bytes) {
    absl::MutexLock lock(&mu_);
    used_ -= bytes;
  }
  uint64_t used() const {
    absl::MutexLock lock(&mu_);
    return used_;
  }
  bool Tight() const { return used() > limit_ / 2; }

 private:
  const uint64_t limit_;
  mutable absl::Mutex mu_;
  uint64_t used_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace cairn::client
