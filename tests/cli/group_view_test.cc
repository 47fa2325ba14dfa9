#include "cli/group_view.h"

#include <gmock/gmock.h>

#include <sstream>

#include "tests/cli/surveys.h"

namespace cairn {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(GroupViewTest, EachTellsOfItselfAndTheLeaderHowFarBehindTheyAre) {
  const Survey survey = {WithMatch(WithMatch(Member(1, 1), 2, 97), 3, 100), Member(2, 1),
                         Member(3, 1)};
  const GroupView group = MakeGroupView(survey);
  EXPECT_EQ(group.cluster_id, "c");
  EXPECT_EQ(group.leader, 1u);
  ASSERT_EQ(group.members.size(), 3u);
  EXPECT_EQ(group.Find(1)->role, "leader");
  EXPECT_EQ(group.Find(1)->behind, 0u);
  EXPECT_EQ(group.Find(2)->role, "follower");
  EXPECT_EQ(group.Find(2)->behind, 3u);
  EXPECT_EQ(group.Find(3)->applied_index, 90u);
  EXPECT_EQ(group.Find(3)->address, "127.0.0.1:2003");
  EXPECT_TRUE(group.HasQuorum());
}

TEST(GroupViewTest, OneThatDoesNotAnswerIsSilentButListed) {
  const GroupView group =
      MakeGroupView({Silent(3), WithMatch(Member(2, 2), 3, 40, /*heard=*/false), Member(1, 2)});
  EXPECT_EQ(group.Find(3)->role, "silent");
  EXPECT_EQ(group.Find(3)->behind, 60u);
  EXPECT_EQ(group.Find(3)->trouble, "");
  EXPECT_TRUE(group.HasQuorum());
  EXPECT_EQ(group.answering_voters(), 2u);
}

TEST(GroupViewTest, OneThatOnlyTheLeaderHearsIsToldApart) {
  const GroupView group = MakeGroupView({Silent(3), WithMatch(Member(1, 1), 3, 100)});
  EXPECT_EQ(group.Find(3)->role, "silent");
  EXPECT_THAT(group.Find(3)->trouble, HasSubstr("answers the leader"));
}

// This host reaches the leader alone; the group works.
TEST(GroupViewTest, WhomTheLeaderHearsCountsForTheQuorum) {
  const MemberAnswer leader = WithMatch(Member(1, 1), 3, 100);
  EXPECT_TRUE(MakeGroupView({leader, Silent(2), Silent(3)}).HasQuorum());
  EXPECT_FALSE(MakeGroupView({Member(1, 1), Silent(2), Silent(3)}).HasQuorum());
  // An election timeout ago it was another: what answers there now has no log.
  EXPECT_FALSE(MakeGroupView({leader, Silent(2), Unborn(3)}).HasQuorum());
}

TEST(GroupViewTest, WhileAVoterLeavesItsOldMajorityIsNeededToo) {
  MemberAnswer leader = Member(1, 1, 3);
  AddInfo(leader.says, 4, "outgoing");
  EXPECT_FALSE(MakeGroupView({leader, Member(2, 1), Silent(3), Silent(4)}).HasQuorum());
  EXPECT_TRUE(MakeGroupView({leader, Member(2, 1), Silent(3), Member(4, 1)}).HasQuorum());
}

TEST(GroupViewTest, WithoutALeaderNobodyKnowsHowFarBehindAnyoneIs) {
  MemberAnswer furthest = Member(2, 0);
  furthest.says.set_applied_index(99);
  const GroupView group = MakeGroupView({Member(1, 0), furthest, Silent(3)});
  EXPECT_EQ(group.leader, 0u);
  EXPECT_FALSE(group.Find(1)->behind.has_value());
  EXPECT_EQ(group.members.size(), 3u);
}

TEST(GroupViewTest, ALeaderThatDoesNotAnswerUsIsStillNamed) {
  EXPECT_EQ(MakeGroupView({Member(1, 3), Member(2, 3), Silent(3)}).leader, 3u);
}

TEST(GroupViewTest, AStrangersLeaderIsNotOurs) {
  MemberAnswer stranger = Member(2, 2);
  stranger.says.set_cluster_id("other");
  stranger.says.set_role("follower");
  stranger.says.set_applied_index(1);
  EXPECT_EQ(MakeGroupView({Member(1, 0), stranger, Member(3, 0)}).leader, 0u);
}

TEST(GroupViewTest, OfTwoThatSayTheyLeadTheNewerTermCounts) {
  MemberAnswer old = Member(1, 1);
  old.says.set_term(4);
  EXPECT_EQ(MakeGroupView({old, Member(2, 2), Member(3, 2)}).leader, 2u);
}

TEST(GroupViewTest, OneWithAnEmptyDirectoryIsKnownByItsAddress) {
  const GroupView group = MakeGroupView({Member(1, 1), Unborn(2), Member(3, 1)});
  ASSERT_EQ(group.members.size(), 3u);
  EXPECT_EQ(group.Find(2)->role, "unborn");
  EXPECT_EQ(group.answering_voters(), 2u);
}

TEST(GroupViewTest, TheSameOneByAnotherAddressIsShownOnce) {
  MemberAnswer first = Member(1, 1);
  first.address = {"localhost", 9, ""};
  const GroupView group = MakeGroupView({first, Silent(1), Member(2, 1), Member(3, 1)});
  EXPECT_EQ(group.members.size(), 3u);
  EXPECT_EQ(group.Find(1)->role, "leader");
  EXPECT_EQ(group.Find(1)->grpc, "localhost:9");
}

TEST(GroupViewTest, AllAreInOrderOfTheirIds) {
  MemberAnswer seventh = Member(7, 0, 1), sixth = Member(6, 0, 1);
  seventh.says.set_applied_index(1);
  sixth.says.set_applied_index(1);
  const GroupView group = MakeGroupView({seventh, sixth, Member(9, 9, 3)});
  std::vector<uint32_t> ids;
  for (const GroupMember& member : group.members) ids.push_back(member.server);
  EXPECT_THAT(ids, testing::ElementsAre(1, 2, 3, 6, 7, 9));
}

TEST(GroupViewTest, OneOutsideTheGroupComesLastAndIsNoVoter) {
  const GroupView group = MakeGroupView({Unborn(7), Silent(8), Member(1, 1, 1)});
  ASSERT_EQ(group.members.size(), 2u);
  EXPECT_EQ(group.members[1].role, "unborn");
  EXPECT_EQ(group.members[1].part, "");
  EXPECT_EQ(group.voters(), 1u);
}

TEST(GroupViewTest, OneThatWasTakenOutIsSaidToBe) {
  const GroupView group = MakeGroupView({Member(1, 1, 1), [] {
                                           MemberAnswer out = Member(9, 0, 1);
                                           out.says.set_applied_index(1);
                                           return out;
                                         }()});
  ASSERT_EQ(group.members.size(), 2u);
  EXPECT_EQ(group.members[1].server, 9u);
  EXPECT_EQ(group.members[1].trouble, "not in the group");
}

TEST(GroupViewTest, AStrangerAtAMembersAddressIsNotTheMember) {
  MemberAnswer stranger = Member(2, 2);
  stranger.says.set_cluster_id("other");
  stranger.says.set_applied_index(1);
  const GroupView group = MakeGroupView({Member(1, 1), stranger, Member(3, 1)});
  EXPECT_EQ(group.Find(2)->role, "silent");
  EXPECT_THAT(group.Find(2)->trouble, HasSubstr("other"));
}

TEST(GroupViewTest, LearnersAreNotCountedAsVoters) {
  MemberAnswer leader = Member(1, 1, 3);
  AddInfo(leader.says, 4, "learner");
  AddInfo(leader.says, 5, "learner");
  const GroupView group = MakeGroupView({leader, Member(2, 1), Silent(3), Silent(4), Silent(5)});
  EXPECT_EQ(group.voters(), 3u);
  EXPECT_TRUE(group.HasQuorum());
}

TEST(GroupViewTest, IsPrintedAsATableAndInJson) {
  const GroupView group = MakeGroupView({WithMatch(Member(1, 1), 2, 97), Member(2, 1), Silent(3)});
  std::ostringstream out, err;
  PrintGroup(group, Console{out, err, false});
  EXPECT_THAT(out.str(), HasSubstr("METASERVER  ADDRESS         ROLE"));
  EXPECT_THAT(out.str(), HasSubstr("3           127.0.0.1:2003  silent    -"));
  EXPECT_THAT(out.str(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(GroupJson(group),
              HasSubstr("{\"server\":2,\"address\":\"127.0.0.1:2002\",\"grpc\":\"127.0.0.1:1002\","
                        "\"part\":\"voter\",\"role\":\"follower\",\"term\":5,\"last_index\":100,"
                        "\"applied_index\":90,\"behind\":3,\"needs_snapshot\":false,"
                        "\"trouble\":\"\"}"));
  EXPECT_THAT(GroupJson(MakeGroupView({Member(1, 0)})), HasSubstr("\"behind\":null"));
}

}  // namespace
}  // namespace cairn
