#include "tests/support/fake_faults.h"

#include <algorithm>
#include <utility>

#include "absl/time/time.h"

namespace cairn::testing {

namespace {
constexpr absl::Duration kPatience = absl::Seconds(20);
}

void FaultScript::Add(Fault fault) {
  absl::MutexLock lock(&mu_);
  faults_.push_back(std::move(fault));
}

void FaultScript::Clear() {
  absl::MutexLock lock(&mu_);
  faults_.clear();
}

std::optional<Fault> FaultScript::Take(v1::Method method) {
  absl::MutexLock lock(&mu_);
  auto it = std::find_if(faults_.begin(), faults_.end(),
                         [&](const Fault& fault) { return fault.method == method; });
  if (it == faults_.end()) return std::nullopt;
  Fault fault = *it;
  if (it->times > 0 && --it->times == 0) faults_.erase(it);
  return fault;
}

void FaultScript::Hold(std::function<void()> answer) {
  absl::MutexLock lock(&mu_);
  held_.push_back(std::move(answer));
}

void FaultScript::LetGo() {
  std::vector<std::function<void()>> held;
  {
    absl::MutexLock lock(&mu_);
    held.swap(held_);
  }
  for (const auto& answer : held) answer();
}

size_t FaultScript::held() const {
  absl::MutexLock lock(&mu_);
  return held_.size();
}

void FaultScript::Saw(v1::Method method, uint64_t inode, bool ok) {
  absl::MutexLock lock(&mu_);
  events_.push_back({method, inode, ok});
}

std::vector<Event> FaultScript::events() const {
  absl::MutexLock lock(&mu_);
  return events_;
}

uint64_t FaultScript::CountLocked(v1::Method method) const {
  return static_cast<uint64_t>(std::count_if(
      events_.begin(), events_.end(), [&](const Event& event) { return event.method == method; }));
}

uint64_t FaultScript::Count(v1::Method method) const {
  absl::MutexLock lock(&mu_);
  return CountLocked(method);
}

bool FaultScript::AwaitCount(v1::Method method, uint64_t count) const {
  absl::MutexLock lock(&mu_);
  auto reached = [&]() ABSL_SHARED_LOCKS_REQUIRED(mu_) { return CountLocked(method) >= count; };
  return mu_.AwaitWithTimeout(absl::Condition(&reached), kPatience);
}

bool FaultScript::AwaitHeld(size_t count) const {
  absl::MutexLock lock(&mu_);
  auto reached = [&]() ABSL_SHARED_LOCKS_REQUIRED(mu_) { return held_.size() >= count; };
  return mu_.AwaitWithTimeout(absl::Condition(&reached), kPatience);
}

void FaultScript::ForgetEvents() {
  absl::MutexLock lock(&mu_);
  events_.clear();
}

}  // namespace cairn::testing
