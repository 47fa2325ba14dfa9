#include "chunkserver/replication/fence_list.h"

#include <gtest/gtest.h>

#include <thread>

#include "rpc/chunk_token.h"

namespace cairn {
namespace {

constexpr SessionId kDead{7};
constexpr SessionId kAlive{8};

// A heartbeat's answer that tells of these fences, made at second 1000 and heard then.
v1::HeartbeatResponse Answer(std::vector<std::pair<uint64_t, uint64_t>> fences, uint64_t last) {
  v1::HeartbeatResponse answer;
  for (const auto& [sequence, session] : fences) {
    v1::Fence& fence = *answer.add_fences();
    fence.set_sequence(sequence);
    fence.set_session(session);
    fence.mutable_time()->set_seconds(1000);
  }
  answer.set_last_fence(last);
  answer.mutable_time()->set_seconds(1000);
  return answer;
}

class RuleL1FenceList : public ::testing::Test {
 protected:
  FenceList fences_;
};

TEST_F(RuleL1FenceList, WhoIsShutOutEntersNoMoreAndOthersDo) {
  const SessionUsePtr dead = fences_.UseOf(kDead);
  ASSERT_TRUE(dead->Enter());
  EXPECT_TRUE(fences_.Take(Answer({{1, kDead.value}}, 1)));
  EXPECT_FALSE(dead->Enter());
  EXPECT_EQ(fences_.Check(kDead).code(), ErrorCode::kFenced);
  EXPECT_TRUE(fences_.Check(kAlive).ok());
  EXPECT_TRUE(fences_.UseOf(kAlive)->Enter());
}

TEST_F(RuleL1FenceList, AFenceIsFinishedOnceNothingIsUnderWay) {
  const SessionUsePtr dead = fences_.UseOf(kDead);
  ASSERT_TRUE(dead->Enter());
  ASSERT_TRUE(dead->Enter());
  ASSERT_TRUE(fences_.Take(Answer({{1, 99}, {2, kDead.value}, {3, 98}}, 3)));
  EXPECT_EQ(fences_.known(), 3u);
  EXPECT_EQ(fences_.Finished(), 1u);
  dead->Leave();
  EXPECT_EQ(fences_.Finished(), 1u);
  dead->Leave();
  EXPECT_EQ(fences_.Finished(), 3u);
}

TEST_F(RuleL1FenceList, AnAnswerThatIsCutShortIsNoLease) {
  v1::HeartbeatResponse first = Answer({}, kMostFencesAtOnce + 1);
  for (int i = 1; i <= kMostFencesAtOnce; ++i) {
    first.add_fences()->set_sequence(static_cast<uint64_t>(i));
    first.mutable_fences(i - 1)->set_session(1000u + static_cast<uint64_t>(i));
    first.mutable_fences(i - 1)->mutable_time()->set_seconds(1000);
  }
  EXPECT_FALSE(fences_.Take(first));
  EXPECT_EQ(fences_.known(), static_cast<uint64_t>(kMostFencesAtOnce));
  EXPECT_TRUE(fences_.Take(Answer({{kMostFencesAtOnce + 1, kDead.value}}, kMostFencesAtOnce + 1)));
  EXPECT_EQ(fences_.Check(SessionId(1001)).code(), ErrorCode::kFenced);
  EXPECT_EQ(fences_.Check(kDead).code(), ErrorCode::kFenced);
}

// They are no rows any more: the list is whole without them.
TEST_F(RuleL1FenceList, FencesThatAreGoneAreNotWaitedFor) {
  EXPECT_TRUE(fences_.Take(Answer({}, 60)));
  EXPECT_EQ(fences_.known(), 60u);
  EXPECT_EQ(fences_.Finished(), 60u);
}

TEST_F(RuleL1FenceList, WhatIsToldTwiceIsOne) {
  ASSERT_TRUE(fences_.Take(Answer({{1, kDead.value}}, 1)));
  ASSERT_TRUE(fences_.Take(Answer({{1, kDead.value}}, 1)));
  EXPECT_EQ(fences_.Finished(), 1u);
  EXPECT_EQ(fences_.Check(kDead).code(), ErrorCode::kFenced);
}

TEST_F(RuleL1FenceList, AnotherHistoryIsTakenAsAWhole) {
  ASSERT_TRUE(fences_.Take(Answer({{9, kDead.value}}, 9)));
  ASSERT_TRUE(fences_.Take(Answer({{3, kAlive.value}}, 3)));
  EXPECT_EQ(fences_.known(), 3u);
  EXPECT_EQ(fences_.Check(kAlive).code(), ErrorCode::kFenced);
}

TEST_F(RuleL1FenceList, AFenceIsForgottenWhenNoTokenCanNameItsSession) {
  ASSERT_TRUE(fences_.Take(Answer({{1, kDead.value}}, 1)));
  v1::HeartbeatResponse later = Answer({{2, kAlive.value}}, 2);
  const int64_t kept = std::chrono::duration_cast<std::chrono::seconds>(kFenceKept).count();
  later.mutable_time()->set_seconds(1000 + kept);
  later.mutable_fences(0)->mutable_time()->set_seconds(1000 + kept);
  ASSERT_TRUE(fences_.Take(later));
  EXPECT_EQ(fences_.Check(kDead).code(), ErrorCode::kFenced);
  later.mutable_time()->set_seconds(1001 + kept);
  ASSERT_TRUE(fences_.Take(later));
  EXPECT_TRUE(fences_.Check(kDead).ok());
  EXPECT_EQ(fences_.Check(kAlive).code(), ErrorCode::kFenced);
}

TEST(FenceList, SessionsThatAreNotUsedAreForgottenAndThoseInUseAreNot) {
  FenceList fences;
  const SessionUsePtr held = fences.UseOf(SessionId(1));
  ASSERT_TRUE(fences.UseOf(SessionId(2))->Enter());
  const SessionUse* busy = fences.UseOf(SessionId(2)).get();
  for (uint64_t session = 3; session < 10'000; ++session) (void)fences.UseOf(SessionId(session));
  EXPECT_EQ(fences.UseOf(SessionId(1)), held);
  EXPECT_EQ(fences.UseOf(SessionId(2)).get(), busy);
  EXPECT_FALSE(fences.UseOf(SessionId(2))->idle());
}

TEST(FenceList, ATicketLeavesOnce) {
  FenceList fences;
  const SessionUsePtr use = fences.UseOf(kAlive);
  {
    ASSERT_TRUE(use->Enter());
    SessionTicket ticket(use);
    SessionTicket moved(std::move(ticket));
    SessionTicket assigned;
    assigned = std::move(moved);
    EXPECT_FALSE(use->idle());
  }
  EXPECT_TRUE(use->idle());
}

// Whatever the order of their steps: refused, or seen.
TEST_F(RuleL1FenceList, NobodySlipsThroughWhileTheFenceIsTaken) {
  for (int round = 0; round < 2000; ++round) {
    FenceList fences;
    const SessionUsePtr use = fences.UseOf(kDead);
    std::atomic<bool> go{false};
    std::atomic<bool> entered{false};
    std::thread client([&] {
      while (!go) {
      }
      entered = use->Enter();
    });
    go = true;
    (void)fences.Take(Answer({{1, kDead.value}}, 1));
    const uint64_t finished = fences.Finished();
    client.join();
    EXPECT_FALSE(entered && finished == 1u) << "round " << round;
  }
}

}  // namespace
}  // namespace cairn
