// Time as the system uses it. Leases count on boot time, which goes on while the machine sleeps and
// never jumps; file times come from the wall clock. Both are read through this seam so that tests
// own time.
#pragma once

#include <chrono>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace cairn {

using Duration = std::chrono::nanoseconds;

// A point on CLOCK_BOOTTIME of this machine. Meaningless on any other.
struct BootTime {
  Duration since_boot{0};
  friend constexpr auto operator<=>(BootTime, BootTime) = default;
  friend constexpr BootTime operator+(BootTime t, Duration d) { return {t.since_boot + d}; }
  friend constexpr Duration operator-(BootTime a, BootTime b) {
    return a.since_boot - b.since_boot;
  }
};

struct WallTime {
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;
  friend constexpr auto operator<=>(const WallTime&, const WallTime&) = default;
};

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual BootTime Now() const = 0;
  virtual WallTime WallNow() const = 0;
};

// The machine's own clocks.
class SystemClock final : public Clock {
 public:
  BootTime Now() const override;
  WallTime WallNow() const override;
};

// Stands still until told. Thread-safe.
class ManualClock final : public Clock {
 public:
  BootTime Now() const override;
  WallTime WallNow() const override;
  void Advance(Duration by);

 private:
  mutable absl::Mutex mu_;
  Duration now_ ABSL_GUARDED_BY(mu_){std::chrono::seconds(1000)};
};

// The moment after which the answer is of no use. Carried in every frame as the time that is left.
class Deadline {
 public:
  static Deadline After(Duration from_now);
  // Time left, never negative.
  Duration Left() const;
  bool Passed() const { return Left() == Duration::zero(); }
  BootTime at() const { return at_; }

 private:
  explicit Deadline(BootTime at) : at_(at) {}
  BootTime at_;
};

// The figures of the design's chapter 9. Their order is the proof that leases end before what they
// protect passes on; they may only change together.
namespace timing {
using namespace std::chrono_literals;
inline constexpr Duration kChunkHeartbeat = 500ms;
inline constexpr Duration kChunkLease = 3s;          // from when the confirmed heartbeat was sent
inline constexpr Duration kMemberRemoved = 3500ms;   // of silence, clock drift included
inline constexpr Duration kSessionLife = 30s;
inline constexpr Duration kMountTimeout = 60s;
inline constexpr Duration kSealIdle = 30s;
inline constexpr Duration kFlushDelay = 1s;          // a write rests at most this long in a mount
static_assert(kChunkHeartbeat < kChunkLease && kChunkLease < kMemberRemoved &&
              kMemberRemoved < kSessionLife && kSessionLife < kMountTimeout);
}  // namespace timing

}  // namespace cairn
