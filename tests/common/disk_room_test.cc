#include "common/disk_room.h"

#include <gtest/gtest.h>

namespace cairn {
namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;

TEST(DiskRoomTest, ADiskIsNearlyFullWhereATwentiethOfItMayStillBeWritten) {
  EXPECT_FALSE(IsNearFull(1000 * kGiB, 50 * kGiB));
  EXPECT_TRUE(IsNearFull(1000 * kGiB, 50 * kGiB - 1));
}

TEST(DiskRoomTest, EveryDiskIsNearlyFullBeforeItIsFull) {
  for (uint64_t total = kGiB; total < 10'000 * kGiB; total *= 3) {
    EXPECT_TRUE(IsNearFull(total, 1)) << total;
    EXPECT_FALSE(IsFull(total, 1)) << total;
    EXPECT_TRUE(IsFull(total, 0)) << total;
  }
}

TEST(DiskRoomTest, OfADiskOfUnknownSizeNothingIsSaid) {
  EXPECT_FALSE(IsFull(0, 0));
  EXPECT_FALSE(IsNearFull(0, 0));
}

}  // namespace
}  // namespace cairn
