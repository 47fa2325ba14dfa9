#include "cli/cluster_birth.h"

#include <gmock/gmock.h>

#include "tests/cli/surveys.h"

namespace cairn {
namespace {

using testing::HasSubstr;
using Kind = BirthStep::Kind;

Birth BirthOf(uint32_t founders) {
  Birth birth;
  birth.cluster_id = "c";
  for (uint32_t server = 1; server <= founders; ++server) {
    v1::MetaserverMember& founder = birth.founders.emplace_back();
    founder.set_server(server);
    founder.mutable_address()->mutable_frames()->set_host("127.0.0.1");
    founder.mutable_address()->mutable_frames()->set_port(2000 + server);
    founder.mutable_address()->mutable_grpc()->set_host("127.0.0.1");
    founder.mutable_address()->mutable_grpc()->set_port(1000 + server);
  }
  return birth;
}

// Adopted, but the cluster has not been founded.
MemberAnswer Adopted(uint32_t server, uint32_t leader) {
  MemberAnswer answer = Member(server, leader);
  answer.answer = std::make_shared<v1::GetStatusResponse>();
  return answer;
}

Result<BirthStep> Plan(const Survey& survey, bool born_before = false, uint32_t founders = 3) {
  return PlanBirth(BirthOf(founders), born_before, survey);
}

TEST(ClusterBirthTest, EmptyOnesAreAdoptedOnceAllAnswer) {
  EXPECT_EQ(Plan({Unborn(1), Unborn(2), Silent(3)})->kind, Kind::kWait);
  EXPECT_THAT(Plan({Unborn(1), Unborn(2), Silent(3)})->waits_for, HasSubstr("127.0.0.1:1003"));
  const auto step = Plan({Unborn(1), Unborn(2), Unborn(3)});
  EXPECT_EQ(step->kind, Kind::kAdopt);
  EXPECT_EQ(step->adopt.size(), 3u);
}

TEST(ClusterBirthTest, AnInterruptedAdoptionGoesOnWithThoseThatAreLeft) {
  const auto step = Plan({Adopted(1, 1), Unborn(2), Adopted(3, 1)});
  EXPECT_EQ(step->kind, Kind::kAdopt);
  ASSERT_EQ(step->adopt.size(), 1u);
  EXPECT_EQ(step->adopt[0].server(), 2u);
}

TEST(ClusterBirthTest, TheClusterIsFoundedOnceAllAreAdopted) {
  EXPECT_EQ(Plan({Adopted(1, 0), Adopted(2, 0), Adopted(3, 0)})->kind, Kind::kFound);
  EXPECT_EQ(Plan({Member(1, 1), Member(2, 1), Member(3, 1)})->kind, Kind::kBorn);
}

// An init with the same id and other addresses, while the first one was not done.
TEST(ClusterBirthTest, TwoListsOfFoundersAreNotMixed) {
  MemberAnswer other = Adopted(2, 0);
  other.says.mutable_members(2)->mutable_address()->mutable_frames()->set_port(9);
  const auto step = Plan({Unborn(1), other, Silent(3)});
  ASSERT_FALSE(step.has_value());
  EXPECT_EQ(step.error().code(), ErrorCode::kWrongCluster);
  EXPECT_THAT(step.error().message(), HasSubstr("3 at 127.0.0.1:9 (127.0.0.1:1003)"));
}

TEST(ClusterBirthTest, OneOfAnotherClusterIsNeverTakenIn) {
  MemberAnswer other = Member(2, 2);
  other.says.set_cluster_id("other");
  for (const bool born_before : {false, true}) {
    const auto step = Plan({Unborn(1), other, Unborn(3)}, born_before);
    ASSERT_FALSE(step.has_value());
    EXPECT_EQ(step.error().code(), ErrorCode::kWrongCluster);
    EXPECT_THAT(step.error().message(), HasSubstr("other"));
  }
}

// An amnesiac voter could vote a second time in the same term.
TEST(RuleM4, AMemberThatLostItsDirectoryIsNotAdoptedAgain) {
  const auto step = Plan({Member(1, 1), Unborn(2), Member(3, 1)});
  ASSERT_TRUE(step.has_value());
  EXPECT_EQ(step->kind, Kind::kBorn);
  ASSERT_EQ(step->lost.size(), 1u);
  EXPECT_EQ(step->lost[0].server, 2u);
  Birth birth = BirthOf(3);
  birth.verb_options = " --dir /d";
  EXPECT_THAT(LostText(birth, step->lost[0]), HasSubstr("'cairn meta remove 2 --dir /d'"));
  EXPECT_THAT(LostText(birth, step->lost[0]),
              HasSubstr("'cairn meta add 127.0.0.1:2002 --grpc 127.0.0.1:1002 --dir /d'"));
}

TEST(RuleM4, ALaggingMemberThatKnowsNoClusterYetDoesNotHideThatThereIsOne) {
  MemberAnswer lagging = Adopted(3, 1);
  const auto step = Plan({Member(1, 1), Unborn(2), lagging});
  EXPECT_EQ(step->kind, Kind::kBorn);
  EXPECT_EQ(step->lost.size(), 1u);
}

TEST(RuleM4, WithoutAMajorityThatRemembersNothingIsFounded) {
  for (const Survey& survey :
       {Survey{Member(1, 0), Unborn(2), Unborn(3)}, Survey{Unborn(1), Unborn(2), Unborn(3)}}) {
    const auto step = Plan(survey, /*born_before=*/true);
    ASSERT_FALSE(step.has_value());
    EXPECT_EQ(step.error().code(), ErrorCode::kWrongCluster);
    EXPECT_THAT(step.error().message(), HasSubstr("lost its directory"));
  }
}

TEST(ClusterBirthTest, AFoundedClusterWaitsForItsMajorityWithoutAdoptingAnybody) {
  EXPECT_EQ(Plan({Silent(1), Unborn(2), Unborn(3)}, true)->kind, Kind::kWait);
  EXPECT_EQ(Plan({Member(1, 0), Unborn(2), Silent(3)}, true)->kind, Kind::kWait);
  EXPECT_EQ(Plan({Silent(1), Silent(2), Silent(3)}, true)->kind, Kind::kWait);
  EXPECT_EQ(Plan({Member(1, 0), Member(2, 0), Silent(3)}, true)->kind, Kind::kBorn);
}

TEST(ClusterBirthTest, AProcessThatIsNotInTheGroupIsLeftAlone) {
  const auto step = Plan({Member(1, 1), Member(2, 1), Member(3, 1), Unborn(4)}, true);
  EXPECT_EQ(step->kind, Kind::kBorn);
  EXPECT_TRUE(step->lost.empty());
}

TEST(ClusterBirthTest, ASingleMetaserverIsAdoptedToo) {
  EXPECT_EQ(Plan({Unborn(1)}, false, 1)->kind, Kind::kAdopt);
}

TEST(ClusterBirthTest, ASingleOneThatLostItsDirectoryIsNotFoundedAgain) {
  const auto step = Plan({Unborn(1)}, /*born_before=*/true, 1);
  ASSERT_FALSE(step.has_value());
  EXPECT_EQ(step.error().code(), ErrorCode::kWrongCluster);
}

// It does not know the question who the metaservers are.
TEST(ClusterBirthTest, OneOfAnOlderVersionIsTakenAsItIs) {
  MemberAnswer old = Asked(1, "c");
  old.status = Status(ErrorCode::kUnimplemented, "unknown method");
  EXPECT_EQ(Plan({old}, true, 1)->kind, Kind::kBorn);
}

}  // namespace
}  // namespace cairn
