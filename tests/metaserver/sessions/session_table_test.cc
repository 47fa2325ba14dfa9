#include "metaserver/sessions/session_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metaserver/store/schema.h"

namespace cairn::testing {

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using OpenResult = SessionTable::OpenResult;

constexpr SessionId kFirst{1};
constexpr SessionId kSecond{2};
constexpr InodeId kFile{100};

class SessionTableTest : public ::testing::Test {
 protected:
  OpenResult Open(SessionId session, InodeId inode) {
    return table_.RegisterOpen(session, inode, [this] { ++retries_; });
  }
  // As after a restart that found one session.
  void RestoreFirst() {
    auto store = MakeMemoryStore();
    ASSERT_TRUE(store->Write({{schema::SessionKey(kFirst), ""}}, false).ok());
    ASSERT_TRUE(table_.Restore(*store->View()).ok());
  }

  ManualClock clock_;
  SessionTable table_{clock_};
  int retries_ = 0;
};

TEST_F(SessionTableTest, RuleC11WhoeverOpenedAFileHoldsItUntilTheClose) {
  table_.Add(kFirst);
  table_.Add(kSecond);
  EXPECT_EQ(Open(kFirst, kFile), OpenResult::kRegistered);
  EXPECT_EQ(Open(kSecond, kFile), OpenResult::kRegistered);
  EXPECT_THAT(table_.BeginRemoval(kFile), ElementsAre(kFirst, kSecond));
  table_.EndRemoval(kFile);
  table_.RegisterClose(kFirst, kFile);
  EXPECT_THAT(table_.BeginRemoval(kFile), ElementsAre(kSecond));
  table_.EndRemoval(kFile);
  table_.Remove(kSecond);
  EXPECT_THAT(table_.BeginRemoval(kFile), IsEmpty());
}

TEST_F(SessionTableTest, RuleM8OneThatIsHeardButDoesNotReclaimWithinALifeIsSilent) {
  RestoreFirst();
  for (Duration past{}; past < timing::kSessionLife; past += std::chrono::seconds(1)) {
    ASSERT_TRUE(table_.Touch(kFirst));
    ASSERT_THAT(table_.TakeSilent(), IsEmpty());
    clock_.Advance(std::chrono::seconds(1));
  }
  ASSERT_TRUE(table_.Touch(kFirst));
  EXPECT_THAT(table_.TakeSilent(), ElementsAre(kFirst));
}

TEST_F(SessionTableTest, RuleC11NobodyOpensAFileWhoseNameIsJustGoing) {
  table_.Add(kFirst);
  table_.BeginRemoval(kFile);
  table_.BeginRemoval(kFile);
  EXPECT_EQ(Open(kFirst, kFile), OpenResult::kDeferred);
  table_.EndRemoval(kFile);
  EXPECT_EQ(retries_, 0);
  table_.EndRemoval(kFile);
  EXPECT_EQ(retries_, 1);
  EXPECT_EQ(Open(kFirst, kFile), OpenResult::kRegistered);
}

TEST_F(SessionTableTest, RuleM8ARestoredSessionMayHoldEverythingUntilItReclaims) {
  RestoreFirst();
  EXPECT_FALSE(table_.IsReclaimed(kFirst));
  EXPECT_TRUE(table_.MayHold(kFirst, kFile));
  EXPECT_THAT(table_.BeginRemoval(kFile), ElementsAre(kFirst));
  table_.EndRemoval(kFile);
  EXPECT_TRUE(table_.Reclaim(kFirst, {InodeId(7)}));
  EXPECT_FALSE(table_.Reclaim(kFirst, {}));
  EXPECT_TRUE(table_.MayHold(kFirst, InodeId(7)));
  EXPECT_FALSE(table_.MayHold(kFirst, kFile));
}

TEST_F(SessionTableTest, RuleM8WhatIsOpenedBeforeTheReclaimIsKept) {
  RestoreFirst();
  EXPECT_EQ(Open(kFirst, kFile), OpenResult::kRegistered);
  table_.Add(kFirst);  // its OpenSession, applied
  EXPECT_FALSE(table_.IsReclaimed(kFirst));
  table_.Reclaim(kFirst, {});
  EXPECT_TRUE(table_.MayHold(kFirst, kFile));
}

TEST_F(SessionTableTest, RuleM8ARestartGivesAFullLife) {
  clock_.Advance(std::chrono::seconds(500));
  RestoreFirst();
  clock_.Advance(timing::kSessionLife - Duration(1));
  EXPECT_THAT(table_.TakeSilent(), IsEmpty());
  clock_.Advance(Duration(1));
  EXPECT_THAT(table_.TakeSilent(), ElementsAre(kFirst));
}

TEST_F(SessionTableTest, ASilentSessionIsToldOnceAndHeardNoMore) {
  table_.Add(kFirst);
  table_.Add(kSecond);
  clock_.Advance(timing::kSessionLife / 2);
  EXPECT_TRUE(table_.Touch(kSecond));
  clock_.Advance(timing::kSessionLife / 2);
  EXPECT_THAT(table_.TakeSilent(), ElementsAre(kFirst));
  EXPECT_THAT(table_.TakeSilent(), IsEmpty());
  EXPECT_FALSE(table_.Touch(kFirst));
  EXPECT_EQ(Open(kFirst, kFile), OpenResult::kUnknownSession);
  table_.KeepAfterAll(kFirst);
  EXPECT_THAT(table_.TakeSilent(), ElementsAre(kFirst));
  table_.Remove(kFirst);
  EXPECT_THAT(table_.TakeSilent(), IsEmpty());
}

TEST_F(SessionTableTest, StrangersAreNotServed) {
  EXPECT_FALSE(table_.Touch(kFirst));
  EXPECT_FALSE(table_.Reclaim(kFirst, {kFile}));
  EXPECT_FALSE(table_.MayHold(kFirst, kFile));
  EXPECT_EQ(Open(kFirst, kFile), OpenResult::kUnknownSession);
  EXPECT_EQ(Open(SessionId(0), kFile), OpenResult::kRegistered);  // holds nothing
  EXPECT_THAT(table_.BeginRemoval(kFile), IsEmpty());
}

TEST_F(SessionTableTest, OpenFilesAreCountedOnce) {
  table_.Add(kFirst);
  Open(kFirst, kFile);
  Open(kFirst, kFile);
  table_.RegisterNew(kFirst, InodeId(5));
  EXPECT_EQ(table_.OpenFiles(kFirst), 2u);
  table_.RegisterClose(kFirst, kFile);
  table_.RegisterClose(kFirst, kFile);
  EXPECT_EQ(table_.OpenFiles(kFirst), 1u);
}

TEST_F(SessionTableTest, RuleM8AfterAPauseOfThisProcessNobodyCountsAsSilent) {
  table_.Add(kFirst);
  EXPECT_THAT(table_.TakeSilent(), IsEmpty());
  clock_.Advance(timing::kSessionLife * 2);
  EXPECT_THAT(table_.TakeSilent(), IsEmpty());
  for (int second = 0; second < 29; ++second) {
    clock_.Advance(std::chrono::seconds(1));
    EXPECT_THAT(table_.TakeSilent(), IsEmpty());
  }
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_THAT(table_.TakeSilent(), ElementsAre(kFirst));
}

TEST_F(SessionTableTest, OneUsersSessionIsDeafToOtherUsers) {
  table_.Add(kFirst, 1000);
  table_.Add(kSecond);
  EXPECT_TRUE(table_.Touch(kFirst, 1000));
  EXPECT_TRUE(table_.Touch(kFirst));
  EXPECT_FALSE(table_.Touch(kFirst, 1001));
  EXPECT_FALSE(table_.Touch(kSecond, 1000));
}

}  // namespace

}  // namespace cairn::testing
