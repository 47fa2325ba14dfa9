// Threads for what may block: fsync, copying between members, calls that wait.
#pragma once

#include <functional>
#include <queue>
#include <string>
#include <tuple>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/clock.h"
#include "common/thread.h"

namespace cairn {

// A pool of named threads with a queue and a timer. Thread-safe.
class Workers {
 public:
  Workers(const std::string& name, int threads);
  ~Workers();  // Stop()s

  // Runs `work` on one of the threads, in order of submission when there is one thread. After
  // Stop() work is dropped.
  void Submit(std::function<void()> work);
  // The same, but dropped if the deadline has passed when its turn comes: nobody waits for it.
  void Submit(Deadline deadline, std::function<void()> work);
  void RunAfter(Duration delay, std::function<void()> work);
  // For work that tries again: waits `delay`, or less when Stop() is called. False: stopping.
  bool Pause(Duration delay);
  // Finishes what is running, drops what is queued, joins.
  void Stop();

 private:
  struct Timed {
    BootTime at;
    uint64_t order = 0;  // equal times run in order of submission
    std::function<void()> work;
    bool operator>(const Timed& other) const {
      return std::tie(at, order) > std::tie(other.at, other.order);
    }
  };
  // Blocks until work is due; empty when stopping.
  std::function<void()> Next();
  bool Awake() const ABSL_SHARED_LOCKS_REQUIRED(mu_);

  SystemClock clock_;
  absl::Mutex mu_;
  std::priority_queue<Timed, std::vector<Timed>, std::greater<>> queue_ ABSL_GUARDED_BY(mu_);
  uint64_t next_order_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<Thread> threads_;
};

}  // namespace cairn
