#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

class CloseSessionTest : public NamespaceTest {};
CAIRN_OVER_BOTH_STORES(CloseSessionTest);

TEST_P(CloseSessionTest, LeavesNoRowAndMayComeTwice) {
  const AllRows before = RowsOf(fs_.store());
  const uint64_t session = fs_.OpenSession("mount");
  v1::Command command;
  command.mutable_close_session()->set_session(session);
  EXPECT_EQ(fs_.Run(command), Code::kOk);
  EXPECT_EQ(fs_.Run(command), Code::kOk);
  EXPECT_EQ(RowsOf(fs_.store()).size(), before.size());
  EXPECT_NE(fs_.OpenSession("mount"), session);
}

TEST_P(CloseSessionTest, RuleC11LetsGoOfEveryOrphanItHeld) {
  const uint64_t session = fs_.OpenSession("mount");
  const uint64_t other = fs_.OpenSession("other");
  fs_.MakeFile("/mine");
  fs_.MakeFile("/ours");
  const InodeId mine = fs_.Resolve("/mine");
  const InodeId ours = fs_.Resolve("/ours");
  fs_.HeldBy({session});
  fs_.Unlink("/mine");
  fs_.HeldBy({session, other});
  fs_.Unlink("/ours");
  v1::Command command;
  command.mutable_close_session()->set_session(session);
  EXPECT_EQ(fs_.Run(command), Code::kOk);
  EXPECT_FALSE(fs_.Find<v1::InodeRecord>(schema::InodeKey(mine)).has_value());
  EXPECT_THAT(fs_.Find<v1::OrphanRecord>(schema::OrphanKey(ours))->holders(),
              ::testing::ElementsAre(other));
}

TEST_P(CloseSessionTest, RuleL1OneThatWasSilentIsShutOutOnce) {
  const uint64_t session = fs_.OpenSession("mount");
  v1::Command command;
  command.mutable_close_session()->set_session(session);
  command.mutable_close_session()->set_fence(true);
  command = fs_.Complete(command);
  EXPECT_EQ(Namespace::CodeOf(fs_.Apply(command)), Code::kOk);
  EXPECT_EQ(Namespace::CodeOf(fs_.Apply(command)), Code::kOk);  // closed before
  const auto fence = fs_.Find<v1::Fence>(schema::FenceKey(1));
  ASSERT_TRUE(fence.has_value());
  EXPECT_EQ(fence->sequence(), 1u);
  EXPECT_EQ(fence->session(), session);
  EXPECT_EQ(fence->time().seconds(), command.time().seconds());
  EXPECT_EQ(fs_.State().next_fence(), 1u);
}

TEST_P(CloseSessionTest, OneThatEndsItselfNeedsNoFence) {
  v1::Command command;
  command.mutable_close_session()->set_session(fs_.OpenSession("mount"));
  EXPECT_EQ(fs_.Run(command), Code::kOk);
  EXPECT_EQ(fs_.State().next_fence(), 0u);
}

}  // namespace

}  // namespace cairn::testing
