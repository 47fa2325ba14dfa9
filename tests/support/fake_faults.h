// What a fake server does wrong, and what it has seen.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "cairn/v1/methods.pb.h"
#include "common/clock.h"
#include "common/status.h"

namespace cairn::testing {

struct Fault {
  v1::Method method = v1::METHOD_NONE;
  Status status;           // answered instead of the result
  bool run_first = false;  // the call is run and only its answer is lost
  bool hold = false;       // the answer waits until LetGo()
  uint32_t times = 1;      // 0: for ever
};

struct Event {
  v1::Method method = v1::METHOD_NONE;
  uint64_t inode = 0;
  bool answered_ok = false;
};

// Thread-safe.
class FaultScript {
 public:
  void Add(Fault fault);
  void Clear();
  std::optional<Fault> Take(v1::Method method);

  void Hold(std::function<void()> answer);
  void LetGo();
  size_t held() const;

  void Saw(v1::Method method, uint64_t inode, bool ok);
  std::vector<Event> events() const;
  uint64_t Count(v1::Method method) const;
  // Waits until `method` was handled that often, or its answers are held. False: not within 20 s.
  bool AwaitCount(v1::Method method, uint64_t count) const;
  bool AwaitHeld(size_t count) const;
  void ForgetEvents();

 private:
  uint64_t CountLocked(v1::Method method) const ABSL_SHARED_LOCKS_REQUIRED(mu_);

  mutable absl::Mutex mu_;
  std::vector<Fault> faults_ ABSL_GUARDED_BY(mu_);
  std::vector<std::function<void()>> held_ ABSL_GUARDED_BY(mu_);
  std::vector<Event> events_ ABSL_GUARDED_BY(mu_);
};

}  // namespace cairn::testing
