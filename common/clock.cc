#include "common/clock.h"

#include <algorithm>

namespace cairn {

BootTime ManualClock::Now() const {
  absl::MutexLock lock(&mu_);
  return {now_};
}

WallTime ManualClock::WallNow() const {
  absl::MutexLock lock(&mu_);
  return {now_.count() / 1'000'000'000, static_cast<uint32_t>(now_.count() % 1'000'000'000)};
}

void ManualClock::Advance(Duration by) {
  absl::MutexLock lock(&mu_);
  now_ += by;
}

Deadline Deadline::After(Duration from_now) {
  return Deadline(SystemClock().Now() + from_now);
}

Duration Deadline::Left() const {
  return std::max(at_ - SystemClock().Now(), Duration::zero());
}

}  // namespace cairn
