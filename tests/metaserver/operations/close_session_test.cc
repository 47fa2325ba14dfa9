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

}  // namespace

}  // namespace cairn::testing
