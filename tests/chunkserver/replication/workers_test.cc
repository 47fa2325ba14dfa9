#include "chunkserver/replication/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "tests/chunkserver/replication/replication_cluster.h"

namespace cairn {
namespace {

TEST(WorkersTest, OneThreadRunsWorkInItsOrderAndTimedWorkLater) {
  Workers workers("test", 1);
  std::atomic<int> done = 0;
  std::vector<int> order;
  workers.RunAfter(std::chrono::milliseconds(30), [&] { order.push_back(3), ++done; });
  workers.Submit([&] { order.push_back(1), ++done; });
  workers.Submit([&] { order.push_back(2), ++done; });
  ASSERT_TRUE(Eventually([&] { return done == 3; }));
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(WorkersTest, WorkWhoseDeadlinePassedInTheQueueIsDropped) {
  Workers workers("test", 1);
  std::atomic<bool> late = false;
  std::atomic<bool> timely = false;
  workers.Submit(Deadline::After(Duration::zero()), [&] { late = true; });
  workers.Submit(Deadline::After(std::chrono::seconds(60)), [&] { timely = true; });
  ASSERT_TRUE(Eventually([&] { return timely.load(); }));
  EXPECT_FALSE(late);
}

TEST(WorkersTest, StopDropsWhatIsQueuedAndEndsPauses) {
  Workers workers("test", 1);
  std::atomic<bool> paused = false;
  std::atomic<bool> ran = false;
  workers.Submit([&] {
    paused = true;
    EXPECT_FALSE(workers.Pause(std::chrono::seconds(60)));
  });
  workers.Submit([&] { ran = true; });
  ASSERT_TRUE(Eventually([&] { return paused.load(); }));
  workers.Stop();
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace cairn
