// How long to rest between two tries of the same request.
#pragma once

#include <algorithm>
#include <chrono>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/await.h"
#include "common/clock.h"
#include "common/hash.h"
#include "common/status.h"

namespace cairn::client {

// 5 ms, doubling to 500 ms, each a quarter longer or shorter so that mounts do not march in step.
// Confined to one caller.
class Backoff {
 public:
  Duration Next() {
    Duration base = std::min(kFirst * (1 << std::min(tries_++, 10)), kLongest);
    return base * 3 / 4 + base / 2 * static_cast<int64_t>(Spread() % 1024) / 1024;
  }
  // Rests; false without resting when the deadline comes first.
  bool Sleep(const Deadline& deadline) {
    Duration rest = Next();
    if (deadline.Left() <= rest) return false;
    absl::SleepFor(absl::FromChrono(rest));
    return true;
  }

 private:
  static constexpr Duration kFirst = std::chrono::milliseconds(5);
  static constexpr Duration kLongest = std::chrono::milliseconds(500);
  uint64_t Spread() const {
    return MixBits(static_cast<uint64_t>(SystemClock().Now().since_boot.count()));
  }
  int tries_ = 0;
};

// Nobody answered, or the one who did may not serve now: the same request may be sent again.
inline bool IsTransient(ErrorCode code) {
  return code == ErrorCode::kUnavailable || code == ErrorCode::kNotLeader ||
         code == ErrorCode::kDeadlineExceeded;
}

inline Deadline Earlier(const Deadline& deadline, Duration at_most) {
  return Deadline::After(std::min(deadline.Left(), at_most));
}

// REQUIRES: `mu` is held. False: the deadline passed first.
template <typename Predicate>
bool AwaitUntil(absl::Mutex& mu, const Predicate& predicate, const Deadline& deadline)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  return cairn::AwaitUntil(mu, absl::Condition(&predicate), deadline);
}

}  // namespace cairn::client
