#include "metaserver/operations/times.h"

#include <gtest/gtest.h>

namespace cairn::testing {

namespace {

TEST(TimesTest, EachMarkSetsItsTimes) {
  v1::InodeRecord inode;
  v1::Time time;
  time.set_seconds(1);
  MarkBorn(inode, time);
  time.set_seconds(2);
  MarkModified(inode, time);
  time.set_seconds(3);
  MarkChanged(inode, time);
  EXPECT_EQ(inode.attributes().birth_time().seconds(), 1);
  EXPECT_EQ(inode.attributes().access_time().seconds(), 1);
  EXPECT_EQ(inode.attributes().modify_time().seconds(), 2);
  EXPECT_EQ(inode.attributes().change_time().seconds(), 3);
}

TEST(TimesTest, ASecondHasABillionNanoseconds) {
  v1::Time time;
  time.set_nanoseconds(999'999'999);
  EXPECT_TRUE(CheckTime(time).ok());
  time.set_nanoseconds(1'000'000'000);
  EXPECT_EQ(CheckTime(time).code(), ErrorCode::kInvalidArgument);
}

}  // namespace

}  // namespace cairn::testing
