#include "common/mutex_checks.h"

#include "absl/synchronization/mutex.h"

namespace cairn {

void SkipLockOrderChecks() {
#ifndef CAIRN_FAULTS
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
#endif
}

}  // namespace cairn
