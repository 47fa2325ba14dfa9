// Time, waits and threads of a simulated process, linked in place of common/system_clock.cc,
// common/await.cc and common/thread.cc.
#include <utility>

#include "common/await.h"
#include "common/thread.h"
#include "tests/simulation/chunks/fibers.h"

namespace cairn {

using simulation::chunks::Domain;
using simulation::chunks::FiberPtr;
using simulation::chunks::Fibers;

// Between fibers, when no process runs, it is the time of the world itself.
BootTime SystemClock::Now() const {
  Fibers* fibers = Fibers::Current();
  if (fibers == nullptr) return {};
  const Duration now = fibers->scheduler().now();
  const Domain* domain = fibers->domain();
  return {domain == nullptr ? now : domain->Local(now)};
}

WallTime SystemClock::WallNow() const {
  const int64_t now = Now().since_boot.count();
  return {now / 1'000'000'000, static_cast<uint32_t>(now % 1'000'000'000)};
}

bool AwaitUntil(absl::Mutex& mu, const absl::Condition& condition,
                const Deadline& deadline) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  const std::function<bool()> holds = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    mu.Lock();
    const bool result = condition.Eval();
    mu.Unlock();
    return result;
  };
  while (!condition.Eval()) {
    if (deadline.Passed()) return false;
    mu.Unlock();
    Fibers::Current()->Wait(holds, deadline.at().since_boot);
    mu.Lock();
  }
  return true;
}

struct Thread::Running {
  FiberPtr fiber;
};

Thread::Thread() = default;

Thread::Thread(const std::string&, std::function<void()> body)
    : running_(std::make_unique<Running>()) {
  Fibers& fibers = *Fibers::Current();
  running_->fiber = fibers.Start(*fibers.domain(), std::move(body));
}

Thread::Thread(Thread&& other) noexcept = default;

Thread& Thread::operator=(Thread&& other) noexcept {
  running_ = std::move(other.running_);
  return *this;
}

Thread::~Thread() = default;

void Thread::Join() {
  if (running_ == nullptr) return;
  Fibers::Current()->Join(running_->fiber);
  running_.reset();
}

}  // namespace cairn
