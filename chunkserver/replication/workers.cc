#include "chunkserver/replication/workers.h"

#include <algorithm>
#include <utility>

#include "common/await.h"

namespace cairn {

Workers::Workers(const std::string& name, int threads) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back(name, [this] {
      while (const std::function<void()> work = Next()) work();
    });
  }
}

Workers::~Workers() {
  Stop();
}

void Workers::Submit(std::function<void()> work) {
  RunAfter(Duration::zero(), std::move(work));
}

void Workers::Submit(Deadline deadline, std::function<void()> work) {
  Submit([work = std::move(work), deadline] {
    if (!deadline.Passed()) work();
  });
}

void Workers::RunAfter(Duration delay, std::function<void()> work) {
  absl::MutexLock lock(&mu_);
  if (stopping_) return;
  queue_.push({delay <= Duration::zero() ? BootTime{} : clock_.Now() + delay, next_order_++,
               std::move(work)});
}

bool Workers::Pause(Duration delay) {
  absl::MutexLock lock(&mu_);
  return !AwaitUntil(mu_, absl::Condition(&stopping_), Deadline::After(delay));
}

bool Workers::Awake() const {
  return stopping_ || (!queue_.empty() && queue_.top().at <= clock_.Now());
}

std::function<void()> Workers::Next() {
  absl::MutexLock lock(&mu_);
  while (!Awake()) {
    const Duration wait =
        queue_.empty() ? std::chrono::seconds(3600) : queue_.top().at - clock_.Now();
    const uint64_t order = next_order_;
    const size_t waiting = queue_.size();
    auto changed = [&] {
      mu_.AssertReaderHeld();
      return stopping_ || next_order_ != order || queue_.size() != waiting;
    };
    AwaitUntil(mu_, absl::Condition(&changed), Deadline::After(wait));
  }
  if (stopping_) return nullptr;
  std::function<void()> work = queue_.top().work;
  queue_.pop();
  return work;
}

void Workers::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  for (Thread& thread : threads_) thread.Join();
  std::priority_queue<Timed, std::vector<Timed>, std::greater<>> dropped;
  absl::MutexLock lock(&mu_);
  queue_.swap(dropped);
}

}  // namespace cairn
