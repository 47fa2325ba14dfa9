#include "client/executor.h"

#include <gtest/gtest.h>

#include "absl/synchronization/notification.h"

namespace cairn::client {
namespace {

TEST(Executor, RunsTasksThatBlockSideBySide) {
  Executor executor("test", 2);
  absl::Notification first, second;
  executor.Run([&] { first.WaitForNotification(); second.Notify(); });
  executor.Run([&] { first.Notify(); });
  EXPECT_TRUE(second.WaitForNotificationWithTimeout(absl::Seconds(20)));
}

TEST(Executor, RunsALateTaskBehindAnEarlyOneGivenLater) {
  Executor executor("test", 1);
  std::string order;
  absl::Notification done;
  executor.RunAfter(std::chrono::milliseconds(30), [&] { order += "late"; done.Notify(); });
  executor.Run([&] { order += "early "; });
  ASSERT_TRUE(done.WaitForNotificationWithTimeout(absl::Seconds(20)));
  EXPECT_EQ(order, "early late");
}

TEST(Executor, RunsNothingOnceStopped) {
  Executor executor("test", 1);
  bool ran = false;
  executor.RunAfter(std::chrono::hours(1), [&] { ran = true; });
  executor.Stop();
  executor.Run([&] { ran = true; });
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace cairn::client
