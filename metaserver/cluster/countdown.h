// Waits for answers that come on other threads.
#pragma once

#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace cairn {

// Waits until so many callbacks have run. Shared with them, so that a late one harms nobody.
// Thread-safe.
class Countdown {
 public:
  explicit Countdown(size_t count) : left_(count) {}
  void Done() {
    absl::MutexLock lock(&mu_);
    --left_;
  }
  // REQUIRES: each callback runs by a deadline of its own.
  void Wait() {
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(
        +[](size_t* left) { return *left == 0; }, &left_));
  }

 private:
  absl::Mutex mu_;
  size_t left_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn
