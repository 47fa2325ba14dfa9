// Timed waits that end by CLOCK_BOOTTIME. absl counts a timeout on the wall clock: set forward, it
// would give up at once. Set back, the wait that is under way still lasts as much longer, unless it
// is signalled.
#pragma once

#include <algorithm>
#include <chrono>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"

namespace cairn {

inline constexpr Duration kLongestSlice = std::chrono::seconds(1);

// Waits for `condition`; false if the deadline passed first. A simulator links its own.
// REQUIRES: `mu` is held, and no other lock.
bool AwaitUntil(absl::Mutex& mu, const absl::Condition& condition, const Deadline& deadline);

// Waits for a signal, for at most a slice: the caller looks at its deadline and condition again.
// REQUIRES: `mu` is held.
inline void WaitAWhile(absl::CondVar& changed, absl::Mutex& mu,
                       const Deadline& deadline) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  changed.WaitWithTimeout(&mu, absl::FromChrono(std::min(deadline.Left(), kLongestSlice)));
}

}  // namespace cairn
