#include "chunkserver/replication/epoch_barrier.h"

#include <gtest/gtest.h>

#include <thread>

namespace cairn {
namespace {

constexpr PgId kAnyGroup{1};

TEST(RuleC6, NothingOfAnOlderEpochIsUnderWayBehindTheBarrier) {
  EpochBarrier barrier;
  auto old = std::make_unique<EpochBarrier::Pass>(barrier, kAnyGroup, Epoch(3));
  EXPECT_FALSE(
      barrier.WaitForOlder(kAnyGroup, Epoch(4), Deadline::After(std::chrono::milliseconds(1))));
  std::thread ends([&] { old.reset(); });
  EXPECT_TRUE(barrier.WaitForOlder(kAnyGroup, Epoch(4), Deadline::After(std::chrono::seconds(10))));
  ends.join();
}

TEST(EpochBarrierTest, OperationsOfTheSameEpochAndOfOtherGroupsDoNotMatter) {
  EpochBarrier barrier;
  const EpochBarrier::Pass same(barrier, kAnyGroup, Epoch(4));
  const EpochBarrier::Pass other(barrier, PgId(2), Epoch(1));
  EXPECT_TRUE(barrier.WaitForOlder(kAnyGroup, Epoch(4), Deadline::After(Duration::zero())));
}

}  // namespace
}  // namespace cairn
