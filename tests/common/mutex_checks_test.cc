#include "common/mutex_checks.h"

#include <gtest/gtest.h>

#include "absl/synchronization/mutex.h"

namespace cairn {
namespace {

void LockInBothOrders() {
  absl::Mutex a, b;
  {
    absl::MutexLock first(&a);
    absl::MutexLock second(&b);
  }
  absl::MutexLock first(&b);
  absl::MutexLock second(&a);
}

// Where the library looks for cycles it says so and ends the process, so that a test can tell.
void SkipAndLockInBothOrders() {
  SkipLockOrderChecks();
  LockInBothOrders();
  _exit(0);
}

#ifdef CAIRN_FAULTS
TEST(MutexChecksTest, ABuildThatLooksForBugsLooksForLockOrders) {
  EXPECT_DEATH(SkipAndLockInBothOrders(), "deadlock");
}
#else
TEST(MutexChecksTest, ARunningServerDoesNotPayForTheSearchForLockOrders) {
  EXPECT_EXIT(SkipAndLockInBothOrders(), ::testing::ExitedWithCode(0), "");
}
#endif

}  // namespace
}  // namespace cairn
