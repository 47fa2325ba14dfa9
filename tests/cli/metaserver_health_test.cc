#include "cli/metaserver_health.h"

#include <gmock/gmock.h>

#include "tests/cli/surveys.h"

namespace cairn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<v1::HealthItem> Diagnose(const Survey& survey) {
  return DiagnoseMetaservers(MakeGroupView(survey));
}

std::vector<std::string> Codes(const Survey& survey) {
  std::vector<std::string> codes;
  for (const v1::HealthItem& item : Diagnose(survey)) codes.push_back(item.code());
  return codes;
}

TEST(MetaserverHealthTest, AWholeGroupHasNothing) {
  EXPECT_THAT(Codes({Member(1, 1), Member(2, 1), Member(3, 1)}), IsEmpty());
  EXPECT_THAT(Codes({Member(1, 1, 1)}), IsEmpty());
}

TEST(MetaserverHealthTest, OneThatDoesNotAnswerIsAWarningAndIsNamed) {
  const auto items = Diagnose({Member(1, 1), Silent(2), Member(3, 1)});
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0].code(), "META_DOWN");
  EXPECT_EQ(items[0].severity(), "warning");
  EXPECT_EQ(items[0].subject(), "metaserver 2 at 127.0.0.1:2002");
}

TEST(MetaserverHealthTest, FewerThanAMajorityIsAnError) {
  const auto items = Diagnose({Member(1, 3), Silent(2), Silent(3)});
  ASSERT_EQ(items.size(), 3u);
  EXPECT_EQ(items[0].code(), "META_NO_QUORUM");
  EXPECT_EQ(items[0].severity(), "error");
  EXPECT_THAT(items[0].text(), HasSubstr("1 of 3"));
}

TEST(MetaserverHealthTest, NobodyWhoKnowsALeaderIsAnError) {
  EXPECT_THAT(Codes({Member(1, 0), Member(2, 0), Member(3, 0)}), ElementsAre("META_NO_LEADER"));
  EXPECT_THAT(Codes({Member(1, 0), Silent(2), Silent(3)}),
              ElementsAre("META_NO_QUORUM", "META_NO_LEADER", "META_DOWN", "META_DOWN"));
  // One that others still follow is a leader, even if it does not answer here.
  EXPECT_THAT(Codes({Member(1, 3), Member(2, 3), Silent(3)}), ElementsAre("META_DOWN"));
}

TEST(MetaserverHealthTest, OneThatCannotFollowByTheLogAloneIsBehind) {
  MemberAnswer leader = Member(1, 1);
  leader.says.mutable_members(1)->set_needs_snapshot(true);
  EXPECT_THAT(Codes({leader, Member(2, 1), Member(3, 1)}), ElementsAre("META_BEHIND"));
}

TEST(MetaserverHealthTest, OneInTroubleSaysSoItself) {
  MemberAnswer damaged = Member(2, 1);
  damaged.says.set_trouble("its log was damaged; it does not vote until it has it back");
  const auto items = Diagnose({Member(1, 1), damaged, Member(3, 1)});
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0].code(), "META_BEHIND");
  EXPECT_THAT(items[0].text(), HasSubstr("does not vote"));
}

TEST(MetaserverHealthTest, OneThatLostItsDirectoryIsDownAndItsCureIsTold) {
  const auto items = Diagnose({Member(1, 1), Unborn(2), Member(3, 1)});
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0].code(), "META_DOWN");
  EXPECT_THAT(items[0].text(), HasSubstr("cairn meta remove 2"));
}

TEST(MetaserverHealthTest, OneOutsideTheGroupIsNobodysTrouble) {
  EXPECT_THAT(Codes({Member(1, 1, 1), Unborn(4)}), IsEmpty());
}

TEST(MetaserverHealthTest, MetaserversWithoutAnyClusterAreAnError) {
  const auto items = Diagnose({Unborn(1), Silent(2), Unborn(3)});
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0].code(), "META_UNBORN");
  EXPECT_EQ(items[0].severity(), "error");
}

}  // namespace
}  // namespace cairn
