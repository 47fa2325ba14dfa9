#include "raft/storage/log_recovery.h"

#include <gtest/gtest.h>

#include "tests/common/status_matchers.h"

namespace cairn {
namespace {

// A log of entries 11..20 that a third start finds.
LogFindings Whole() {
  LogFindings found;
  found.facts = LogFacts{Incarnation(3), {Term(4), ServerId(1)}, LogIndex(15), {}, ServerId(1), ""};
  found.has_segments = true;
  found.first = LogIndex(11);
  found.last = found.highest = LogIndex(20);
  return found;
}

// The same, but entries up to 30 were there once.
LogFindings CutShort() {
  LogFindings found = Whole();
  found.damage = Status::Error(ErrorCode::kCorruption, "file at 7: damaged");
  found.cut_short = true;
  found.highest = LogIndex(30);
  return found;
}

RecoveryPlan Plan(const LogFindings& found, uint64_t applied) {
  const auto plan = PlanRecovery(found, LogIndex(applied), DamagePolicy::kRefetch);
  EXPECT_THAT(plan, IsOk());
  return plan.value_or(RecoveryPlan{});
}

TEST(LogRecovery, AWholeLogGoesOn) {
  for (uint64_t applied : {10, 15, 20}) {
    for (DamagePolicy policy : {DamagePolicy::kRefuse, DamagePolicy::kRefetch}) {
      const auto plan = PlanRecovery(Whole(), LogIndex(applied), policy);
      ASSERT_THAT(plan, IsOk());
      EXPECT_EQ(plan->begin_at, std::nullopt);
      EXPECT_EQ(plan->facts.synced, LogIndex(20));
      EXPECT_EQ(plan->facts.lost, LogIndex());
      EXPECT_EQ(plan->facts.hard_state, Whole().facts->hard_state);
    }
  }
}

TEST(RuleM4, EveryPlanTakesANewIncarnation) {
  EXPECT_EQ(Plan(LogFindings{}, 0).facts.incarnation, Incarnation(1));
  EXPECT_EQ(Plan(Whole(), 15).facts.incarnation, Incarnation(4));
  EXPECT_EQ(Plan(CutShort(), 15).facts.incarnation, Incarnation(4));
}

TEST(LogRecovery, ANewLogBeginsAtOne) {
  const RecoveryPlan plan = Plan(LogFindings{}, 0);
  EXPECT_EQ(plan.begin_at, LogIndex(1));
  EXPECT_TRUE(plan.begins_log);
}

TEST(LogRecovery, AStartThatGotNoFurtherThanItsFactsIsRepeated) {
  LogFindings found;
  found.facts = LogFacts{};
  found.facts->incarnation = Incarnation(1);
  const RecoveryPlan plan = Plan(found, 0);
  EXPECT_EQ(plan.begin_at, LogIndex(1));
  EXPECT_EQ(plan.facts.incarnation, Incarnation(2));
}

// Whoever has lost all its promises must not speak as the one who made them.
TEST(RuleM4, ALogWithoutFactsOrWithoutSegmentsIsRefused) {
  LogFindings no_facts = Whole();
  no_facts.facts.reset();
  LogFindings no_segments;
  no_segments.facts = Whole().facts;
  for (DamagePolicy policy : {DamagePolicy::kRefuse, DamagePolicy::kRefetch}) {
    EXPECT_THAT(PlanRecovery(no_facts, LogIndex(15), policy), StatusIs(ErrorCode::kCorruption));
    EXPECT_THAT(PlanRecovery(no_segments, LogIndex(0), policy), StatusIs(ErrorCode::kCorruption));
    EXPECT_THAT(PlanRecovery(LogFindings{}, LogIndex(1), policy), StatusIs(ErrorCode::kCorruption));
  }
}

TEST(RuleM5, AGroupOfOneRefusesDamage) {
  const auto plan = PlanRecovery(CutShort(), LogIndex(15), DamagePolicy::kRefuse);
  ASSERT_THAT(plan, StatusIs(ErrorCode::kCorruption));
  EXPECT_EQ(plan.error().message(), "file at 7: damaged");
}

TEST(RuleM5, ALargerGroupCutsTheLogBeforeTheDamageAndSaysWhatIsLost) {
  const RecoveryPlan plan = Plan(CutShort(), 15);
  EXPECT_EQ(plan.begin_at, LogIndex(21));
  EXPECT_FALSE(plan.begins_log);
  EXPECT_EQ(plan.facts.lost, LogIndex(30));
  EXPECT_EQ(plan.facts.synced, LogIndex(20));
}

TEST(RuleM5, WithoutAGoodEntryTheLogBeginsAnew) {
  LogFindings found = CutShort();
  found.last = LogIndex(10);
  const RecoveryPlan plan = Plan(found, 10);
  EXPECT_EQ(plan.begin_at, LogIndex(11));
  EXPECT_TRUE(plan.begins_log);
  EXPECT_EQ(plan.facts.lost, LogIndex(30));
}

TEST(RuleM5, WhatIsLostNeverBecomesLess) {
  LogFindings found = CutShort();
  found.facts->lost = LogIndex(99);
  EXPECT_EQ(Plan(found, 15).facts.lost, LogIndex(99));
  found = Whole();
  found.facts->lost = LogIndex(99);
  EXPECT_EQ(Plan(found, 15).facts.lost, LogIndex(99));
  EXPECT_EQ(Plan(found, 50).facts.lost, LogIndex(99));
}

TEST(RuleM5, DamageInEntriesThatAreAppliedLosesNothing) {
  LogFindings found = CutShort();
  found.cut_short = false;
  found.highest = found.last;
  EXPECT_EQ(Plan(found, 15).facts.lost, LogIndex());
  EXPECT_EQ(Plan(found, 15).begin_at, std::nullopt);
}

TEST(RuleM2, AStateAheadOfTheLogCountsAsASnapshot) {
  for (const LogFindings& found : {Whole(), CutShort()}) {
    const RecoveryPlan plan = Plan(found, 40);
    EXPECT_EQ(plan.begin_at, LogIndex(41));
    EXPECT_TRUE(plan.begins_log);
    EXPECT_EQ(plan.facts.synced, LogIndex(20));  // the new segment is not there yet
    EXPECT_EQ(plan.facts.lost, LogIndex());
  }
}

TEST(RuleM2, EntriesAboveAStateAheadOfTheLogAreLost) {
  const RecoveryPlan plan = Plan(CutShort(), 25);
  EXPECT_EQ(plan.begin_at, LogIndex(26));
  EXPECT_EQ(plan.facts.lost, LogIndex(30));
}

TEST(RuleM2, ALogThatBeginsTooLateBeginsAnewAndAllOfItIsLost) {
  const RecoveryPlan plan = Plan(Whole(), 9);
  EXPECT_EQ(plan.begin_at, LogIndex(10));
  EXPECT_TRUE(plan.begins_log);
  EXPECT_EQ(plan.facts.lost, LogIndex(20));
  EXPECT_EQ(plan.facts.synced, LogIndex(9));
  EXPECT_THAT(PlanRecovery(Whole(), LogIndex(9), DamagePolicy::kRefuse),
              StatusIs(ErrorCode::kCorruption));
}

}  // namespace
}  // namespace cairn
