// All metaservers are asked at once; dead ones and paused ones cost the others nothing.
#include "cli/survey.h"

#include <gmock/gmock.h>

#include "tests/cli/fake_group.h"
#include "tests/cli/surveys.h"

namespace cairn {
namespace {

using namespace std::chrono_literals;

class SurveyTest : public testing::Test {
 protected:
  SurveyTest() { group_.BeFounded("c", 1); }
  AdminClient Client(ClusterAccess access) {
    auto client = AdminClient::Open(access);
    EXPECT_TRUE(client.has_value()) << client.error().ToString();
    return std::move(*client);
  }
  static size_t Answering(const Survey& survey) {
    return static_cast<size_t>(
        std::count_if(survey.begin(), survey.end(),
                      [](const MemberAnswer& answer) { return answer.status.ok(); }));
  }

  ScratchDirectory scratch_;
  FakeGroup group_{scratch_.path() + "/tls", 3};
};

TEST_F(SurveyTest, EachAnswersForItself) {
  AdminClient client = Client(group_.Access());
  const v1::GetStatusRequest request;
  const v1::GetStatusResponse type;
  const Survey survey = TakeSurvey(client, {"GetStatus", &request, &type}, Deadline::After(20s));
  ASSERT_EQ(Answering(survey), 3u);
  const MemberAnswer* best = BestOf(survey);
  EXPECT_EQ(best->says.server(), 1u);
  EXPECT_EQ(static_cast<const v1::GetStatusResponse&>(*best->answer).cluster_id(), "c");
}

TEST_F(SurveyTest, OneAddressIsEnoughToReachAll) {
  ClusterAccess access = group_.Access();
  access.metaservers = {group_.AddressOf(2)};
  AdminClient client = Client(access);
  EXPECT_EQ(Answering(TakeSurvey(client, {}, Deadline::After(20s))), 3u);
}

TEST_F(SurveyTest, EndsInTimeWithOnePausedAndOneDead) {
  group_.Pause(1);
  group_.Stop(2);
  AdminClient client = Client(group_.Access());
  const BootTime begin = SystemClock().Now();
  const Survey survey = TakeSurvey(client, {}, Deadline::After(kSurveyTime));
  EXPECT_LT(SystemClock().Now() - begin, kSurveyTime + 1500ms);
  EXPECT_EQ(survey.size(), 3u);
  EXPECT_EQ(Answering(survey), 1u);
  EXPECT_EQ(BestOf(survey)->says.server(), 3u);
}

TEST_F(SurveyTest, WhoSaysNothingIsNamedWithTheReason) {
  for (int number = 1; number <= 3; ++number) group_.Stop(number);
  AdminClient client = Client(group_.Access());
  const Survey survey = TakeSurvey(client, {}, Deadline::After(kSurveyTime));
  EXPECT_EQ(BestOf(survey), nullptr);
  EXPECT_EQ(NobodyAnswers(survey).code(), ErrorCode::kUnavailable);
  EXPECT_THAT(NobodyAnswers(survey).message(), testing::HasSubstr(group_.AddressOf(3).ToString()));
}

TEST_F(SurveyTest, ALiarCannotMakeItAskTheWholeWorld) {
  group_.Change(1, [](FakeMember& member) {
    for (uint32_t server = 4; server < 1000; ++server) AddInfo(member.says, server);
  });
  AdminClient client = Client(group_.Access());
  EXPECT_LE(TakeSurvey(client, {}, Deadline::After(kSurveyTime)).size(), 32u);
}

TEST(BestOfTest, TheLeaderCountsMostAndThenWhoHasAppliedMost) {
  MemberAnswer ahead = Member(3, 1);
  ahead.says.set_applied_index(99);
  EXPECT_EQ(BestOf({Member(2, 1), Member(1, 1), ahead})->says.server(), 1u);
  EXPECT_EQ(BestOf({Member(2, 1), Silent(1), ahead})->says.server(), 3u);
  EXPECT_EQ(BestOf({Silent(1)}), nullptr);
}

TEST(BestOfTest, ALeadersRefusalIsTheAnswer) {
  MemberAnswer leader = Member(1, 1);
  leader.answered = Status(ErrorCode::kNotFound, "no such file");
  leader.answer = nullptr;
  EXPECT_EQ(BestOf({Member(2, 1), leader})->answered.code(), ErrorCode::kNotFound);
  leader.answered = Status(ErrorCode::kUnavailable, "it stops");
  EXPECT_EQ(BestOf({Member(2, 1), leader})->says.server(), 2u);
}

class AdminClientTest : public SurveyTest {
 protected:
  Status Ask(AdminClient& client, Duration time) {
    v1::TransferLeaderResponse response;
    return client.CallLeader("TransferLeader", v1::TransferLeaderRequest(), response,
                             Deadline::After(time));
  }
  void AnswerWith(std::vector<Status> answers) {
    group_.on_transfer = [answers, calls = size_t{0}](const auto&) mutable {
      return answers[std::min(calls++, answers.size() - 1)];
    };
  }
};

TEST_F(AdminClientTest, TheLeaderIsFoundWhereverItIs) {
  AnswerWith({OkStatus()});
  AdminClient client = Client(group_.Access());
  for (uint32_t leader : {3u, 2u, 1u}) {
    group_.Lead(leader);
    EXPECT_TRUE(Ask(client, 20s).ok());
  }
}

TEST_F(AdminClientTest, AnElectionIsWaitedFor) {
  AnswerWith({OkStatus()});
  group_.Lead(0);
  AdminClient client = Client(group_.Access());
  EXPECT_EQ(Ask(client, 300ms).code(), ErrorCode::kUnavailable);
  std::thread election([this] { group_.Lead(2); });
  EXPECT_TRUE(Ask(client, 20s).ok());
  election.join();
}

TEST_F(AdminClientTest, ALostAnswerIsAskedForAgainAndToldApart) {
  AnswerWith({OkStatus(), Status(ErrorCode::kUnavailable, "lost its office"), OkStatus()});
  AdminClient client = Client(group_.Access());
  ASSERT_TRUE(Ask(client, 20s).ok());
  EXPECT_FALSE(client.repeated());
  ASSERT_TRUE(Ask(client, 20s).ok());
  EXPECT_TRUE(client.repeated());
}

TEST_F(AdminClientTest, ARefusalIsNotAskedForAgain) {
  AnswerWith({Status(ErrorCode::kNotFound, "no such member"), OkStatus()});
  AdminClient client = Client(group_.Access());
  EXPECT_EQ(Ask(client, 20s).code(), ErrorCode::kNotFound);
}

TEST_F(AdminClientTest, AHandoverUnderWayIsWaitedForButNotByAnotherTransfer) {
  AnswerWith({Status(ErrorCode::kBusy, "leadership is being handed over"), OkStatus()});
  AdminClient client = Client(group_.Access());
  EXPECT_EQ(Ask(client, 20s).code(), ErrorCode::kBusy);
  group_.on_remove = [calls = 0](const auto&) mutable -> Result<v1::RemoveMetaserverResponse> {
    if (++calls < 3) return Fail(ErrorCode::kBusy, "leadership is being handed over");
    return v1::RemoveMetaserverResponse();
  };
  v1::RemoveMetaserverResponse response;
  EXPECT_TRUE(client
                  .CallLeader("RemoveMetaserver", v1::RemoveMetaserverRequest(), response,
                              Deadline::After(20s))
                  .ok());
  EXPECT_FALSE(client.repeated());
}

TEST_F(AdminClientTest, WhatTheLeaderSaidLastIsNotForgottenForASilenceThatWasCutShort) {
  group_.on_transfer = [this](const auto&) {
    for (int number = 1; number <= 3; ++number) group_.Peek(number).paused = true;
    return Status(ErrorCode::kUnavailable, "lost its office");
  };
  AdminClient client = Client(group_.Access());
  EXPECT_THAT(Ask(client, 1500ms).message(), testing::HasSubstr("lost its office"));
}

TEST_F(AdminClientTest, WhenNobodyAnswersAtAllItDoesNotWait) {
  for (int number = 1; number <= 3; ++number) group_.Stop(number);
  AdminClient client = Client(group_.Access());
  const Deadline soon = Deadline::After(5s);
  EXPECT_EQ(Ask(client, 60s).code(), ErrorCode::kUnavailable);
  EXPECT_FALSE(soon.Passed());
}

}  // namespace
}  // namespace cairn
