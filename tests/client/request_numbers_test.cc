#include "client/request_numbers.h"

#include <gtest/gtest.h>

#include <optional>

namespace cairn::client {
namespace {

TEST(RequestNumbersTest, RuleM3TheLowestUnansweredIsTold) {
  RequestNumbers numbers;
  v1::RequestId first;
  v1::RequestId second;
  v1::RequestId third;
  std::optional<HeldNumber> held(std::in_place, numbers, first);
  HeldNumber later(numbers, second);
  EXPECT_EQ(second.sequence(), first.sequence() + 1);
  EXPECT_EQ(second.lowest_unanswered(), first.sequence());
  held.reset();
  HeldNumber last(numbers, third);
  EXPECT_EQ(third.lowest_unanswered(), second.sequence());
}

TEST(RequestNumbersTest, RuleM3ARenewedNumberIsALaterOne) {
  RequestNumbers numbers;
  v1::RequestId id;
  HeldNumber held(numbers, id);
  const uint64_t before = id.sequence();
  held.Renew();
  EXPECT_GT(id.sequence(), before);
  EXPECT_EQ(id.lowest_unanswered(), id.sequence());
}

}  // namespace
}  // namespace cairn::client
