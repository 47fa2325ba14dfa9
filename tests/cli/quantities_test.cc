#include "cli/quantities.h"

#include <gtest/gtest.h>

namespace cairn {
namespace {

using namespace std::chrono_literals;

TEST(ParseDurationTest, TakesSecondsMinutesHoursAndDays) {
  EXPECT_EQ(ParseDuration("90s").value(), 90s);
  EXPECT_EQ(ParseDuration("30m").value(), 30min);
  EXPECT_EQ(ParseDuration("2h").value(), 2h);
  EXPECT_EQ(ParseDuration("1d").value(), 24h);
}

TEST(ParseDurationTest, TakesNothingElse) {
  for (const char* text : {"", "s", "30", "30 m", "-1s", "+1s", "1.5h", "1w", "m30", "30M", "1h30m",
                           "99999999999999999999s", "9223372036854775807d"}) {
    const auto parsed = ParseDuration(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code(), ErrorCode::kInvalidArgument);
  }
}

TEST(ParseRateTest, CountsInPowersOf1024) {
  EXPECT_EQ(ParseRate("512K").value(), 512u << 10);
  EXPECT_EQ(ParseRate("50M").value(), 50u << 20);
  EXPECT_EQ(ParseRate("1G").value(), 1u << 30);
}

TEST(ParseRateTest, TakesNoBareNumberAndNoZero) {
  for (const char* text :
       {"", "50", "0M", "50m", "50MB", "-1M", "fast", "M", "9999999999999999G"}) {
    const auto parsed = ParseRate(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code(), ErrorCode::kInvalidArgument);
  }
}

TEST(ParseSizeTest, CountsInPowersOf1024AndTakesNothingElse) {
  EXPECT_EQ(ParseSize("512K").value(), 512u << 10);
  EXPECT_EQ(ParseSize("64M").value(), 64u << 20);
  for (const char* text : {"", "4", "0M", "4m", "4MB", "-1M", "M", "9999999999999999G"}) {
    const auto parsed = ParseSize(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code(), ErrorCode::kInvalidArgument);
  }
}

TEST(LocalTimeTest, HasDateAndTime) {
  EXPECT_EQ(LocalTime(1000000000).size(), 19u);
}

}  // namespace
}  // namespace cairn
