#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

class MakeNodeTest : public NamespaceTest {};
CAIRN_OVER_BOTH_STORES(MakeNodeTest);

TEST_P(MakeNodeTest, NodesOfEachType) {
  EXPECT_EQ(fs_.MakeNode("/file", 0644), Code::kOk);
  EXPECT_TRUE(fs_.Inode("/file").has_file());
  EXPECT_EQ(fs_.MakeNode("/device", S_IFCHR | 0600, 259), Code::kOk);
  EXPECT_EQ(fs_.Stat("/device").device(), 259u);
  EXPECT_EQ(fs_.MakeNode("/dir", S_IFDIR | 0755), Code::kPermission);
  EXPECT_EQ(fs_.MakeNode("/odd", S_IFLNK | 0755), Code::kInvalidArgument);
  fs_.Chmod("/", 0777);
  fs_.As(User(7, 7));
  EXPECT_EQ(fs_.MakeNode("/pipe", S_IFIFO | 0644), Code::kOk);
  EXPECT_EQ(fs_.MakeNode("/disk", S_IFBLK | 0644), Code::kPermission);
  EXPECT_EQ(fs_.Unlink("/pipe"), Code::kOk);
}

}  // namespace

}  // namespace cairn::testing
