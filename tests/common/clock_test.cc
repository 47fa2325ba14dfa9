#include "common/clock.h"

#include <gtest/gtest.h>

namespace cairn {
namespace {
using namespace std::chrono_literals;

TEST(Clock, ManualClockMovesOnlyWhenTold) {
  ManualClock clock;
  BootTime before = clock.Now();
  EXPECT_EQ(clock.Now(), before);
  clock.Advance(1500ms);
  EXPECT_EQ(clock.Now() - before, Duration(1500ms));
  EXPECT_EQ(clock.WallNow().nanoseconds, 500'000'000u);
}

TEST(Clock, SystemClockDoesNotGoBack) {
  SystemClock clock;
  BootTime before = clock.Now();
  EXPECT_LE(before, clock.Now());
  EXPECT_GT(clock.WallNow().seconds, 1'600'000'000);
}

TEST(Deadline, LeftIsNeverNegative) {
  EXPECT_TRUE(Deadline::After(-5s).Passed());
  EXPECT_EQ(Deadline::After(-5s).Left(), Duration::zero());
  EXPECT_FALSE(Deadline::After(60s).Passed());
  EXPECT_LE(Deadline::After(60s).Left(), Duration(60s));
}

}  // namespace
}  // namespace cairn
