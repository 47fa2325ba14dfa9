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

// Where the library looks for cycles it ends the process, so that a test can tell.
TEST(MutexChecksTest, ARunningServerDoesNotPayForTheSearchForLockOrders) {
  const auto run = [] {
    SkipLockOrderChecks();
    LockInBothOrders();
    _exit(0);
  };
#ifdef CAIRN_FAULTS
  GTEST_SKIP() << "this build looks for them";
#endif
  EXPECT_EXIT(run(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace cairn
