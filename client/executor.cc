#include "client/executor.h"

#include <pthread.h>

#include <utility>

#include "common/await.h"

namespace cairn::client {

Executor::Executor(std::string name, int threads) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this, name] { Work(name); });
}

Executor::~Executor() { Stop(); }

void Executor::Run(Task task) { RunAfter(Duration::zero(), std::move(task)); }

void Executor::RunAfter(Duration delay, Task task) {
  absl::MutexLock lock(&mu_);
  if (stopped_) return;
  BootTime when = delay == Duration::zero() ? BootTime{} : SystemClock().Now() + delay;
  tasks_.push({when, given_++, std::move(task)});
  changed_.Signal();
}

void Executor::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopped_ = true;
    changed_.SignalAll();
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  // Tasks may own what owns this executor's user: drop them outside the lock.
  std::priority_queue<Timed> dropped;
  absl::MutexLock lock(&mu_);
  std::swap(dropped, tasks_);
}

bool Executor::Ready() const {
  return !tasks_.empty() && tasks_.top().when <= SystemClock().Now();
}

void Executor::Work(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
  mu_.Lock();
  while (!stopped_) {
    if (!Ready()) {
      // One thread per timed task would do; all may wake, for they are few.
      if (tasks_.empty()) {
        changed_.Wait(&mu_);
      } else {
        WaitAWhile(changed_, mu_, Deadline::After(tasks_.top().when - SystemClock().Now()));
      }
      continue;
    }
    Task task = std::move(const_cast<Timed&>(tasks_.top()).task);
    tasks_.pop();
    mu_.Unlock();
    task();
    task = nullptr;
    mu_.Lock();
  }
  mu_.Unlock();
}

}  // namespace cairn::client
