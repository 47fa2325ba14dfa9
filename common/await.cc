#include "common/await.h"

namespace cairn {

bool AwaitUntil(absl::Mutex& mu, const absl::Condition& condition,
                const Deadline& deadline) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  while (true) {
    const Duration left = deadline.Left();
    if (mu.AwaitWithTimeout(condition, absl::FromChrono(std::min(left, kLongestSlice)))) {
      return true;
    }
    if (left <= Duration::zero()) return false;
  }
}

}  // namespace cairn
