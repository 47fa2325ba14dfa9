#include "common/fault_plan.h"

#include <gtest/gtest.h>

#include "tests/common/status_matchers.h"

namespace cairn {
namespace {

TEST(FaultPlan, EmptyPlanHasNoFaults) {
  FaultPlan plan;
  EXPECT_FALSE(plan.Match(FaultOperation::kWrite, "/a"));
}

TEST(FaultPlan, SkipsThenActsSoManyTimes) {
  FaultPlan plan;
  plan.Set({{.operation = FaultOperation::kSync, .where = "log/", .skip = 2, .times = 1}});
  EXPECT_FALSE(plan.Match(FaultOperation::kSync, "/log/1"));
  EXPECT_FALSE(plan.Match(FaultOperation::kWrite, "/log/1"));
  EXPECT_FALSE(plan.Match(FaultOperation::kSync, "/chunks/1"));
  EXPECT_FALSE(plan.Match(FaultOperation::kSync, "/log/1"));
  EXPECT_TRUE(plan.Match(FaultOperation::kSync, "/log/1"));
  EXPECT_FALSE(plan.Match(FaultOperation::kSync, "/log/1"));
}

TEST(FaultPlan, TimesZeroIsForEverUntilCleared) {
  FaultPlan plan;
  plan.Set({{.operation = FaultOperation::kRead}});
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(plan.Match(FaultOperation::kRead, "x"));
  plan.Clear();
  EXPECT_FALSE(plan.Match(FaultOperation::kRead, "x"));
}

TEST(FaultPlan, ParsesRulesAsPeopleWriteThem) {
  Result<std::vector<FaultRule>> rules = ParseFaultRules(
      "# a comment\n"
      "write torn where=chunks/ skip=2 times=1\n"
      "\n"
      "  send delay=20ms where=127.0.0.1:7410\n"
      "sync delay=2s");
  ASSERT_THAT(rules, IsOk());
  ASSERT_EQ(rules->size(), 3u);
  const FaultRule& torn = (*rules)[0];
  EXPECT_EQ(torn.operation, FaultOperation::kWrite);
  EXPECT_EQ(torn.kind, FaultKind::kTorn);
  EXPECT_EQ(torn.where, "chunks/");
  EXPECT_EQ(torn.skip, 2u);
  EXPECT_EQ(torn.times, 1u);
  EXPECT_EQ((*rules)[1].delay, std::chrono::milliseconds(20));
  EXPECT_EQ((*rules)[1].where, "127.0.0.1:7410");
  EXPECT_EQ((*rules)[2].delay, std::chrono::seconds(2));
}

TEST(FaultPlan, RefusesWhatItDoesNotUnderstandAndNamesTheLine) {
  for (const char* bad : {"jump eio", "write", "write bang", "write delay", "write delay=2",
                          "write delay=xs", "write eio=3", "write eio skip", "write eio skip=-1",
                          "write eio skip=4294967296", "write eio colour=red"}) {
    EXPECT_THAT(ParseFaultRules(bad), StatusIs(ErrorCode::kInvalidArgument)) << bad;
  }
  EXPECT_EQ(ParseFaultRules("sync eio\njump eio").error().message(),
            "fault rule 2: unknown operation 'jump'");
}

}  // namespace
}  // namespace cairn
