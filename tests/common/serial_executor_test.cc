#include "common/serial_executor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <vector>

#include "absl/synchronization/notification.h"

namespace cairn {
namespace {

TEST(SerialExecutorTest, RunsTasksInTheOrderGiven) {
  std::vector<int> order;
  absl::Notification finished;
  SerialExecutor executor("test");
  for (int i = 0; i < 100; ++i) executor.Run([&order, i] { order.push_back(i); });
  executor.Run([&] { finished.Notify(); });
  finished.WaitForNotification();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

TEST(SerialExecutorTest, StopFinishesTheRunningTaskAndDropsTheOthers) {
  absl::Notification begun;
  absl::Notification may_end;
  std::atomic<int> run = 0;
  auto owned = std::make_shared<int>(7);
  SerialExecutor executor("test");
  executor.Run([&] {
    begun.Notify();
    may_end.WaitForNotification();
    ++run;
  });
  executor.Run([&run, owned] { run += 100; });
  begun.WaitForNotification();
  std::thread stopper([&] { executor.Stop(); });
  may_end.Notify();
  stopper.join();
  executor.Run([&] { run += 1000; });
  EXPECT_TRUE(run == 1 || run == 101);  // the second one may have begun before Stop()
  EXPECT_EQ(owned.use_count(), 1);      // and is gone either way
}

}  // namespace
}  // namespace cairn
