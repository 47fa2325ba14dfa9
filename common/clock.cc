#include "common/clock.h"

#include <ctime>

#include <algorithm>

namespace cairn {

namespace {
timespec Read(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return time;
}
BootTime BootNow() {
  timespec time = Read(CLOCK_BOOTTIME);
  return {std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec)};
}
}  // namespace

BootTime SystemClock::Now() const { return BootNow(); }

WallTime SystemClock::WallNow() const {
  timespec time = Read(CLOCK_REALTIME);
  return {time.tv_sec, static_cast<uint32_t>(time.tv_nsec)};
}

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

Deadline Deadline::After(Duration from_now) { return Deadline(BootNow() + from_now); }

Duration Deadline::Left() const { return std::max(at_ - BootNow(), Duration::zero()); }

}  // namespace cairn
