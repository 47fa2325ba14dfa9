#include "rpc/poller.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"

namespace cairn {
namespace {

using namespace std::chrono_literals;

class PollerTest : public testing::Test {
 protected:
  PollerTest() { CAIRN_CHECK(pipe(pipe_) == 0); }
  ~PollerTest() override {
    poller_.reset();
    close(pipe_[0]);
    close(pipe_[1]);
  }
  void Feed() { ASSERT_EQ(write(pipe_[1], "x", 1), 1); }
  // Everything handed to the poller before has run or will never run.
  void Drain() {
    absl::Notification done;
    poller_->RunAt(SystemClock().Now(), [&] { done.Notify(); });
    ASSERT_TRUE(done.WaitForNotificationWithTimeout(absl::Seconds(10)));
  }

  int pipe_[2];
  std::shared_ptr<Poller> poller_ = Poller::Start("poller-test");
};

TEST_F(PollerTest, AWatchFiresOnceAndCanBeSetAgain) {
  for (int round = 0; round < 2; ++round) {
    absl::Notification fired;
    poller_->WatchOnce(pipe_[0], [&] { fired.Notify(); });
    if (round == 0) Feed();  // stays readable for the second round
    ASSERT_TRUE(fired.WaitForNotificationWithTimeout(absl::Seconds(10)));
  }
}

TEST_F(PollerTest, AWatchTakenBackDoesNotFire) {
  std::atomic<int> fired{0};
  poller_->WatchOnce(pipe_[0], [&] { ++fired; });
  poller_->Unwatch(pipe_[0]);
  Feed();
  Drain();
  EXPECT_EQ(fired, 0);
}

TEST_F(PollerTest, UnwatchWaitsForACallbackThatRuns) {
  absl::Notification entered;
  absl::Notification leave;
  std::atomic<bool> left{false};
  poller_->WatchOnce(pipe_[0], [&] {
    entered.Notify();
    leave.WaitForNotification();
    left = true;
  });
  Feed();
  entered.WaitForNotification();
  std::thread unwatcher([&] {
    poller_->Unwatch(pipe_[0]);
    EXPECT_TRUE(left);
  });
  leave.Notify();
  unwatcher.join();
}

TEST_F(PollerTest, TasksRunInTheOrderOfTheirTimesAndNotEarly) {
  std::vector<int> order;
  absl::Notification done;
  BootTime now = SystemClock().Now();
  BootTime last = now + 30ms;
  poller_->RunAt(last, [&] {
    EXPECT_GE(SystemClock().Now(), last);
    order.push_back(2);
    done.Notify();
  });
  poller_->RunAt(now + 10ms, [&] { order.push_back(1); });
  poller_->RunAt(now, [&] { order.push_back(0); });
  ASSERT_TRUE(done.WaitForNotificationWithTimeout(absl::Seconds(10)));
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
}

TEST_F(PollerTest, MayBeDroppedInsideItsOwnCallback) {
  absl::Notification done;
  auto held = std::make_shared<std::shared_ptr<Poller>>(poller_);
  Poller* raw = poller_.get();
  poller_.reset();
  raw->RunAt(SystemClock().Now(), [held, &done] {
    held->reset();
    done.Notify();
  });
  held.reset();
  ASSERT_TRUE(done.WaitForNotificationWithTimeout(absl::Seconds(10)));
}

}  // namespace
}  // namespace cairn
