#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

class RemoveOrphanTest : public NamespaceTest {};
CAIRN_OVER_BOTH_STORES(RemoveOrphanTest);

TEST_P(RemoveOrphanTest, RuleC11ChunksWaitForTheReaperWhenNobodyHoldsTheFile) {
  fs_.MakeFile("/x");
  fs_.Commit("/x", 5u << 20, {{0, 5}}, 0);
  const InodeId inode = fs_.Resolve("/x");
  EXPECT_EQ(fs_.Unlink("/x"), Code::kOk);
  auto orphan = fs_.Find<v1::OrphanRecord>(schema::OrphanKey(inode));
  ASSERT_TRUE(orphan.has_value());
  EXPECT_EQ(orphan->holders_size(), 0);
  v1::Command remove;
  remove.mutable_remove_orphan()->set_inode(inode.value);
  EXPECT_EQ(fs_.Run(remove), Code::kOk);
  EXPECT_EQ(fs_.Run(remove), Code::kOk);
  EXPECT_FALSE(fs_.Find<v1::InodeRecord>(schema::InodeKey(inode)).has_value());
  EXPECT_EQ(fs_.State().file_bytes(), 0u);
}

}  // namespace

}  // namespace cairn::testing
