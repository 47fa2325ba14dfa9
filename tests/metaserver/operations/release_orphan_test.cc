#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

class ReleaseOrphanTest : public NamespaceTest {};
CAIRN_OVER_BOTH_STORES(ReleaseOrphanTest);

TEST_P(ReleaseOrphanTest, RuleC11HoldersAreWrittenByTheSameCommandAndTheLastOneLetsGo) {
  const uint64_t first = fs_.OpenSession("first");
  const uint64_t second = fs_.OpenSession("second");
  fs_.MakeFile("/x");
  fs_.Commit("/x", 100, {{0, 1}}, 0);
  const InodeId inode = fs_.Resolve("/x");
  fs_.HeldBy({second, first, 999});  // 999 never lived
  v1::Command unlink;
  unlink.mutable_unlink()->set_parent(1);
  unlink.mutable_unlink()->set_name("x");
  EXPECT_TRUE(fs_.Apply(fs_.Complete(unlink)).still_open());
  EXPECT_THAT(fs_.Find<v1::OrphanRecord>(schema::OrphanKey(inode))->holders(),
              ::testing::ElementsAre(first, second));

  v1::Command remove;
  remove.mutable_remove_orphan()->set_inode(inode.value);
  EXPECT_EQ(fs_.Run(remove), Code::kBusy);
  v1::Command release;
  release.mutable_release_orphan()->set_inode(inode.value);
  release.mutable_release_orphan()->set_session(first);
  EXPECT_EQ(fs_.Run(release), Code::kOk);
  EXPECT_EQ(fs_.Run(remove), Code::kBusy);
  v1::Command close;
  close.mutable_close_session()->set_session(second);
  EXPECT_EQ(fs_.Run(close), Code::kOk);
  EXPECT_EQ(fs_.Run(remove), Code::kOk);
}

}  // namespace

}  // namespace cairn::testing
