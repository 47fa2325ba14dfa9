#include "metaserver/cluster/repair_forecast.h"

#include <gtest/gtest.h>

namespace cairn {
namespace {

using namespace std::chrono_literals;

constexpr ServerId kOne{1};
constexpr ServerId kTwo{2};

class RepairForecastTest : public ::testing::Test {
 protected:
  void Note(Duration later, const BytesBySource& left, const std::set<ServerId>& throttled = {}) {
    clock_.Advance(later);
    forecast_.Note(clock_.Now(), left, throttled);
  }
  ManualClock clock_;
  RepairForecast forecast_;
};

TEST_F(RepairForecastTest, NothingIsToldBeforeSomethingWasCopied) {
  EXPECT_EQ(forecast_.seconds_left(), 0u);
  Note(0s, {{kOne, 1000}});
  Note(2s, {{kOne, 1000}});
  EXPECT_EQ(forecast_.bytes_per_second(), 0u);
  EXPECT_EQ(forecast_.seconds_left(), 0u);
}

TEST_F(RepairForecastTest, TheTimeBeforeTheFirstByteDoesNotCount) {
  Note(0s, {{kOne, 1000}});
  for (int second = 0; second < 5; ++second) Note(1s, {{kOne, 1000}});
  Note(1s, {{kOne, 999}});  // it began in the middle of this second
  Note(1s, {{kOne, 899}});
  Note(1s, {{kOne, 800}});
  EXPECT_EQ(forecast_.bytes_per_second(), 99u);
  EXPECT_EQ(forecast_.seconds_left(), 8u);
}

TEST_F(RepairForecastTest, OfSourcesThatAreEquallyFarItIsTheTimeOfEach) {
  Note(0s, {{kOne, 1000}, {kTwo, 1000}});
  Note(2s, {{kOne, 800}, {kTwo, 800}});
  EXPECT_EQ(forecast_.bytes_per_second(), 200u);
  EXPECT_EQ(forecast_.seconds_left(), 8u);
}

TEST_F(RepairForecastTest, TheTimeIsToldToTheNearestSecond) {
  Note(0s, {{kOne, 1070}});
  Note(2s, {{kOne, 870}});
  EXPECT_EQ(forecast_.seconds_left(), 9u);
  Note(1s, {{kOne, 740}});
  EXPECT_EQ(forecast_.bytes_per_second(), 130u);
  EXPECT_EQ(forecast_.seconds_left(), 6u);
}

TEST_F(RepairForecastTest, WithoutAThrottleTheRestGetsFasterOnceOthersAreDone) {
  Note(0s, {{kOne, 400}, {kTwo, 1800}});
  Note(2s, {{kOne, 200}, {kTwo, 1600}});
  EXPECT_EQ(forecast_.seconds_left(), 9u);
}

TEST_F(RepairForecastTest, ASourceUnderAThrottleGetsNoFasterOnceOthersAreDone) {
  Note(0s, {{kOne, 400}, {kTwo, 1800}});
  Note(2s, {{kOne, 200}, {kTwo, 1600}}, {kOne, kTwo});
  EXPECT_EQ(forecast_.seconds_left(), 16u);
}

TEST_F(RepairForecastTest, ASourceThatHasNotBegunIsTakenToBeAsFastAsTheOthers) {
  Note(0s, {{kOne, 1000}, {kTwo, 800}});
  Note(2s, {{kOne, 900}, {kTwo, 800}}, {kOne, kTwo});
  EXPECT_EQ(forecast_.seconds_left(), 18u);
  Note(1s, {{kOne, 850}, {kTwo, 1000}}, {kOne, kTwo});
  EXPECT_EQ(forecast_.seconds_left(), 20u);
}

TEST_F(RepairForecastTest, MoreToCopyIsNoStepBack) {
  Note(0s, {{kOne, 1000}});
  Note(1s, {{kOne, 900}});
  Note(1s, {{kOne, 800}});
  Note(1s, {{kOne, 2000}});
  Note(2s, {{kOne, 1600}});
  EXPECT_EQ(forecast_.bytes_per_second(), 125u);  // 500 in 4 s
}

TEST_F(RepairForecastTest, TheRateIsThatOfTheLastSeconds) {
  Note(0s, {{kOne, 10000}});
  Note(5s, {{kOne, 9000}});
  for (uint64_t second = 1; second <= 11; ++second) Note(1s, {{kOne, 9000 - 10 * second}});
  EXPECT_EQ(forecast_.bytes_per_second(), 10u);
}

}  // namespace
}  // namespace cairn
