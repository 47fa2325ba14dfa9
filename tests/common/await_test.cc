#include "common/await.h"

#include <gtest/gtest.h>

#include "common/thread.h"

namespace cairn {
namespace {

TEST(AwaitTest, EndsWhenTheConditionHolds) {
  absl::Mutex mu;
  bool done = false;
  Thread other("other", [&] {
    absl::MutexLock lock(&mu);
    done = true;
  });
  {
    absl::MutexLock lock(&mu);
    EXPECT_TRUE(AwaitUntil(mu, absl::Condition(&done), Deadline::After(std::chrono::seconds(10))));
  }
  other.Join();
}

TEST(AwaitTest, EndsWithTheDeadlineAndHoldsTheLockAgain) {
  absl::Mutex mu;
  bool never = false;
  const Deadline deadline = Deadline::After(std::chrono::milliseconds(5));
  absl::MutexLock lock(&mu);
  EXPECT_FALSE(AwaitUntil(mu, absl::Condition(&never), deadline));
  EXPECT_TRUE(deadline.Passed());
  mu.AssertHeld();
}

}  // namespace
}  // namespace cairn
