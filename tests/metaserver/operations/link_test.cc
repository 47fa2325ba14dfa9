#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

class LinkTest : public NamespaceTest {};
CAIRN_OVER_BOTH_STORES(LinkTest);

TEST_P(LinkTest, LinksShareAnInode) {
  fs_.MakeFile("/a");
  fs_.MakeDirectory("/dir");
  EXPECT_EQ(fs_.Link("/a", "/b"), Code::kOk);
  EXPECT_EQ(fs_.Resolve("/a"), fs_.Resolve("/b"));
  EXPECT_EQ(fs_.Link("/a", "/b"), Code::kExists);
  EXPECT_EQ(fs_.Link("/dir", "/dir2"), Code::kPermission);
  EXPECT_EQ(fs_.State().inode_count(), 3u);
}

TEST_P(LinkTest, AFileWithoutANameGetsNoNewOne) {
  const uint64_t session = fs_.OpenSession("mount");
  fs_.MakeFile("/x");
  v1::Command link;
  link.mutable_link()->set_inode(fs_.Resolve("/x").value);
  link.mutable_link()->set_new_parent(1);
  link.mutable_link()->set_new_name("y");
  fs_.HeldBy({session});
  fs_.Unlink("/x");
  EXPECT_EQ(fs_.Run(link), Code::kNotFound);
}

}  // namespace

}  // namespace cairn::testing
