// Alone in a file: a simulator links a clock of its own in its place, and every deadline follows.
#include <ctime>

#include "common/clock.h"

namespace cairn {

namespace {
timespec Read(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return time;
}
}  // namespace

BootTime SystemClock::Now() const {
  const timespec time = Read(CLOCK_BOOTTIME);
  return {std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec)};
}

WallTime SystemClock::WallNow() const {
  const timespec time = Read(CLOCK_REALTIME);
  return {time.tv_sec, static_cast<uint32_t>(time.tv_nsec)};
}

}  // namespace cairn
