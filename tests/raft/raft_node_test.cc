#include "raft/raft_node.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "common/fault_plan.h"
#include "common/faulty_file.h"
#include "tests/common/status_matchers.h"
#include "tests/raft/node_group.h"

namespace cairn::testing {
namespace {

std::vector<std::string> Numbered(int count) {
  std::vector<std::string> words;
  for (int i = 0; i < count; ++i) words.push_back("word" + std::to_string(i));
  return words;
}

// From now on the leader keeps no entries for the member that is away.
void AwaitUnheard(NodeGroup& group, int away) {
  const ServerId id(static_cast<uint32_t>(away));
  const auto unheard = [&] {
    const auto peers = group.node(group.Leader()).Describe().core.peers;
    return std::any_of(peers.begin(), peers.end(),
                       [&](const auto& peer) { return peer.id == id && !peer.active; });
  };
  NodeGroup::AwaitTrue(unheard, "the absence to be noticed");
}

TEST(RaftNodeTest, AMemberThatIsAloneServesAtOnceAndKeepsWhatItAnswered) {
  NodeGroup group(1);
  group.StartAll();
  group.Say("one");
  group.Say("two");
  group.Stop(1);
  group.Start(1);
  group.Say("three");
  group.AwaitWords({"one", "two", "three"});
}

TEST(RaftNodeTest, ThreeMembersApplyTheSame) {
  NodeGroup group(3);
  group.StartAll();
  for (const std::string& word : Numbered(100)) group.Say(word);
  group.AwaitWords(Numbered(100));
  EXPECT_EQ(group.words(group.Leader()).led(), 1);
}

TEST(RaftNodeTest, ALeaderThatStopsIsReplacedAndComesBackAsAFollower) {
  NodeGroup group(3);
  group.StartAll();
  group.Say("before");
  const int first = group.Leader();
  group.Stop(first);
  group.Say("meanwhile");
  EXPECT_NE(group.Leader(), first);
  group.Start(first);
  group.Say("after");
  group.AwaitWords({"before", "meanwhile", "after"});
}

TEST(RaftNodeTest, RuleM6ALeaderThatIsCutOffNeitherAnswersReadsNorCommits) {
  NodeGroup group(3);
  group.StartAll();
  group.Say("before");
  const int old = group.Leader();
  const Term term = group.node(old).ServingTerm();
  EXPECT_TRUE(group.Confirm(old, term));
  group.CutOff(old);
  group.Say("meanwhile");
  EXPECT_FALSE(group.node(old).LeaseHolds(term));
  EXPECT_FALSE(group.Confirm(old, term));
  NodeGroup::AwaitTrue([&] { return group.node(old).ServingTerm() == Term(); }, "it steps down");
  EXPECT_THAT(group.Propose(old, "lost"), StatusIs(ErrorCode::kNotLeader));
  group.Reconnect(old);
  group.AwaitWords({"before", "meanwhile"});
}

TEST(RaftNodeTest, AProposalOfALeaderThatLosesOfficeIsToldUnavailable) {
  NodeGroup group(3);
  group.StartAll();
  const int old = group.Leader();
  group.CutOff(old);
  EXPECT_THAT(group.Propose(old, "unknown"), StatusIs(ErrorCode::kUnavailable));
}

TEST(RaftNodeTest, LeadershipIsHandedOver) {
  NodeGroup group(3);
  group.StartAll();
  group.Say("one");
  group.AwaitWords({"one"});  // all have it: whoever is to lead has been heard
  const int old = group.Leader();
  const int next = old % 3 + 1;
  ASSERT_THAT(group.node(old).TransferLeadership(ServerId(static_cast<uint32_t>(next))), IsOk());
  NodeGroup::AwaitTrue([&] { return group.node(next).ServingTerm() != Term(); }, "it leads");
  group.Say("two");
  group.AwaitWords({"one", "two"});
}

TEST(RaftNodeTest, WhoLeavesHandsOverFirst) {
  NodeGroup group(3);
  group.StartAll();
  group.Say("one");
  const int old = group.Leader();
  group.node(old).LeaveOffice(Deadline::After(std::chrono::seconds(20)));
  const raft::CoreStatus left = group.node(old).Describe().core;
  EXPECT_NE(left.leader, ServerId());
  EXPECT_NE(left.leader, ServerId(static_cast<uint32_t>(old)));
  group.Stop(old);
  group.Say("two");
}

TEST(RaftNodeTest, WhoIsAloneLeavesWithoutWaiting) {
  NodeGroup group(1);
  group.StartAll();
  group.Say("one");
  group.node(1).LeaveOffice(Deadline::After(std::chrono::hours(1)));
}

// The member's state is busy while it loses office and wins it again.
TEST(RaftNodeTest, WhoLeadsAgainIsToldSoAfterItWasToldThatItDoesNotLead) {
  NodeGroup group(3);
  group.StartAll();
  group.Say("one");
  const int first = group.Leader();
  const int second = first % 3 + 1;
  const auto id = [](int member) { return ServerId(static_cast<uint32_t>(member)); };
  const auto leads = [&](int member) {
    return group.node(member).Describe().core.role == raft::RoleKind::kLeader;
  };
  const Term before = group.node(first).ServingTerm();
  group.words(first).Hold();
  group.node(first).Propose("two", [](const Result<std::string>&) {});
  group.words(first).AwaitHeld();
  NodeGroup::AwaitTrue([&] { return group.node(first).TransferLeadership(id(second)).ok(); }, "");
  NodeGroup::AwaitTrue([&] { return leads(second); }, "the second leads");
  NodeGroup::AwaitTrue([&] { return group.node(second).TransferLeadership(id(first)).ok(); }, "");
  NodeGroup::AwaitTrue([&] { return leads(first); }, "the first leads again");
  group.words(first).LetGo();
  NodeGroup::AwaitTrue([&] { return group.node(first).ServingTerm() > before; }, "it serves");
  group.Say("three");
  EXPECT_EQ(group.words(first).told(), group.node(first).ServingTerm());
}

TEST(RaftNodeTest, WhoIsAdoptedTwiceMustHearTheSame) {
  NodeGroup group(2);
  const raft::Members others = {{ServerId(1), ""}, {ServerId(2), "elsewhere"}};
  const raft::Members same = {{ServerId(1), ""}, {ServerId(2), ""}};
  EXPECT_THAT(group.node(1).Adopt(ServerId(1), same), IsOk());
  EXPECT_THAT(group.node(1).Adopt(ServerId(1), others), StatusIs(ErrorCode::kExists));
  EXPECT_THAT(group.node(1).Adopt(ServerId(2), same), StatusIs(ErrorCode::kExists));
}

// It stopped when a snapshot was its state already and its log not yet behind it. The one voter is
// another member, which has what is missing (rule M5).
TEST(RaftNodeTest, ALearnerWhoseStateIsAheadOfItsLogStartsAgain) {
  NodeGroup group(1);
  group.StartAll();
  group.Say("one");
  group.AddStranger(2);
  group.Stop(2);
  Result<StateSnapshot> snapshot = group.words(1).TakeSnapshot();
  ASSERT_THAT(snapshot, IsOk());
  const raft::SnapshotPoint point{
      LogIndex(100), Term(1), {{{ServerId(1), ""}}, {}, {{ServerId(2), ""}}}};
  ASSERT_THAT(group.words(2).Install(point, *snapshot->rows), IsOk());
  group.Start(2);
  EXPECT_EQ(group.node(2).Describe().applied, point.index);
}

TEST(RaftNodeTest, AMemberThatWasAwayForLongGetsASnapshot) {
  RaftNodeOptions options;
  options.storage.segment_bytes = 4096;
  options.kept_segments = 1;
  NodeGroup group(3, options);
  group.StartAll();
  group.Say("word0");
  group.AwaitWords({"word0"});
  const int away = group.Leader() % 3 + 1;
  group.Stop(away);
  AwaitUnheard(group, away);
  std::vector<std::string> words = Numbered(1000);
  for (size_t i = 1; i < words.size(); ++i) group.Say(words[i]);
  group.Start(away);
  group.AwaitWords(words);
  EXPECT_EQ(group.words(away).installed(), 1);
  group.Stop(away);
  group.Start(away);
  words.push_back("last");
  group.Say("last");
  group.AwaitWords(words);
}

TEST(RaftNodeTest, EachPieceOfASnapshotIsSentOnce) {
  RaftNodeOptions options;
  options.storage.segment_bytes = 1u << 20;
  options.kept_segments = 1;
  NodeGroup group(3, options);
  group.StartAll();
  const int away = group.Leader() % 3 + 1;
  group.Stop(away);
  AwaitUnheard(group, away);
  std::vector<std::string> words(100, std::string(64u << 10, 'x'));
  for (const std::string& word : words) group.Say(word);
  group.Start(away);
  group.AwaitWords(words);
  EXPECT_EQ(group.words(away).installed(), 1);
  const int state_mib = static_cast<int>(words.size() * words[0].size() >> 20);
  EXPECT_GE(group.pieces(), state_mib);
  EXPECT_LE(group.pieces(), state_mib + 3);
}

TEST(RaftNodeTest, ANewMemberIsBroughtUpAndVotes) {
  NodeGroup group(1);
  group.StartAll();
  group.Say("one");
  group.AddStranger(2);
  const raft::Members voters = {{ServerId(1), ""}, {ServerId(2), ""}};
  NodeGroup::AwaitTrue(
      [&] {
        return group.node(1).ProposeMembership({{ServerId(1), ""}}, {{ServerId(2), ""}}).ok();
      },
      "a learner");
  NodeGroup::AwaitTrue([&] { return group.node(1).ProposeMembership(voters, {}).ok(); }, "a voter");
  group.Say("two");
  group.AwaitWords({"one", "two"});
  group.CutOff(2);
  EXPECT_THAT(group.Propose(1, "alone"), StatusIs(ErrorCode::kUnavailable));
  group.Reconnect(2);
  group.Say("three");
}

TEST(RaftNodeTest, RuleM4ADiskThatFailsEndsTheMemberAndSaysWhy) {
  FaultPlan faults;
  const auto files = MakeFaultyFileSystem(PosixFiles(), faults);
  std::atomic<int> failed = 0;
  RaftNodeOptions options;
  options.files = files.get();
  options.on_failed = [&](const Status& cause) {
    EXPECT_THAT(cause, StatusIs(ErrorCode::kDiskFailed));
    ++failed;
  };
  NodeGroup group(1, options);
  group.StartAll();
  group.Say("one");
  faults.Set(*ParseFaultRules("sync eio"));
  const Term term = group.node(1).ServingTerm();
  EXPECT_THAT(group.Propose(1, "two"), StatusIs(ErrorCode::kDiskFailed));
  EXPECT_THAT(group.Propose(1, "three"), StatusIs(ErrorCode::kDiskFailed));
  EXPECT_FALSE(group.node(1).LeaseHolds(term));
  EXPECT_FALSE(group.Confirm(1, term));
  EXPECT_EQ(failed, 1);
}

TEST(RaftNodeTest, AFullDiskRefusesWhatItCannotStoreAndGoesOnWhenThereIsRoom) {
  FaultPlan faults;
  const auto files = MakeFaultyFileSystem(PosixFiles(), faults);
  RaftNodeOptions options;
  options.files = files.get();
  NodeGroup group(1, options);
  group.StartAll();
  group.Say("one");
  faults.Set(*ParseFaultRules("write enospc times=1"));
  EXPECT_THAT(group.Propose(1, "two"), StatusIs(ErrorCode::kNoSpace));
  faults.Set({});
  group.Say("three");
  group.AwaitWords({"one", "three"});
}

}  // namespace
}  // namespace cairn::testing
