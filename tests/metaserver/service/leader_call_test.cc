#include "metaserver/service/leader_call.h"

#include <gtest/gtest.h>

#include "cairn/v1/admin.pb.h"
#include "tests/common/status_matchers.h"
#include "tests/metaserver/cluster/fake_call.h"
#include "tests/metaserver/cluster/fake_state.h"

namespace cairn {
namespace {

class LeaderCallTest : public ::testing::Test {
 protected:
  std::shared_ptr<ServerCall> Begin() {
    call_ = std::make_shared<FakeCall>();
    return MakeLeaderCall(call_, state_);
  }
  static v1::GetStatusResponse Answer() {
    v1::GetStatusResponse response;
    response.set_cluster_id("c1");
    return response;
  }

  FakeState state_;
  std::shared_ptr<FakeCall> call_;
};

TEST_F(LeaderCallTest, UnderTheLeaseAnswersPass) {
  Begin()->Reply(Answer(), {});
  EXPECT_THAT(call_->status, IsOk());
  EXPECT_EQ(call_->answer, Answer().SerializeAsString());
  Begin()->Fail(Status(ErrorCode::kNotFound, "gone"));
  EXPECT_THAT(call_->status, StatusIs(ErrorCode::kNotFound));
}

TEST_F(LeaderCallTest, OneThatDoesNotLeadAnswersAtOnce) {
  state_.serving_term = Term();
  EXPECT_EQ(Begin(), nullptr);
  EXPECT_THAT(call_->status, StatusIs(ErrorCode::kNotLeader));
}

TEST_F(LeaderCallTest, RuleM6WithoutTheLeaseAMajorityIsAsked) {
  const auto read = Begin();
  state_.lease_holds = false;
  read->Reply(Answer(), {});
  EXPECT_THAT(call_->status, IsOk());
  EXPECT_EQ(call_->answer, Answer().SerializeAsString());
}

TEST_F(LeaderCallTest, RuleM6WhatWasReadBeforeLeadershipWasLostIsNotTold) {
  for (const bool found : {true, false}) {
    const auto read = Begin();
    state_.lease_holds = state_.confirms = false;
    found ? read->Reply(Answer(), {}) : read->Fail(Status(ErrorCode::kNotFound, "gone"));
    EXPECT_THAT(call_->status, StatusIs(ErrorCode::kUnavailable));
    state_.lease_holds = state_.confirms = true;
  }
}

TEST_F(LeaderCallTest, RuleM6ALaterTermOfTheSameLeaderDoesNotVouchForAnEarlierRead) {
  const auto read = Begin();
  state_.serving_term = Term(3);  // another led in between
  read->Reply(Answer(), {});
  EXPECT_THAT(call_->status, StatusIs(ErrorCode::kUnavailable));
}

}  // namespace
}  // namespace cairn
