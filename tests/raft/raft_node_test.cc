#include "raft/raft_node.h"

#include <gtest/gtest.h>

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
  const int old = group.Leader();
  const int next = old % 3 + 1;
  ASSERT_THAT(group.node(old).TransferLeadership(ServerId(static_cast<uint32_t>(next))), IsOk());
  NodeGroup::AwaitTrue([&] { return group.node(next).ServingTerm() != Term(); }, "it leads");
  group.Say("two");
  group.AwaitWords({"one", "two"});
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
  EXPECT_THAT(group.Propose(1, "two"), StatusIs(ErrorCode::kDiskFailed));
  EXPECT_THAT(group.Propose(1, "three"), StatusIs(ErrorCode::kDiskFailed));
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
