// The threads on which a mount does what no caller waits for: commits, retries, flushes by age.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/clock.h"

namespace cairn::client {

// Tasks may block (bounded by their own deadlines). Thread-safe.
class Executor {
 public:
  using Task = std::function<void()>;

  Executor(std::string name, int threads);
  ~Executor();  // Stop()s

  void Run(Task task);
  void RunAfter(Duration delay, Task task);
  // Waits for the tasks under way; those not begun, and all given later, never run.
  void Stop();

 private:
  struct Timed {
    BootTime when;
    uint64_t order;  // equal times run in the order given
    Task task;
    bool operator<(const Timed& other) const {
      return when != other.when ? when > other.when : order > other.order;
    }
  };

  void Work(const std::string& name);
  bool Ready() const ABSL_SHARED_LOCKS_REQUIRED(mu_);

  absl::Mutex mu_;
  absl::CondVar changed_;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t given_ ABSL_GUARDED_BY(mu_) = 0;
  std::priority_queue<Timed> tasks_ ABSL_GUARDED_BY(mu_);
  std::vector<std::thread> threads_;
};

}  // namespace cairn::client
