#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

class RemoveDirectoryTest : public NamespaceTest {};
CAIRN_OVER_BOTH_STORES(RemoveDirectoryTest);

TEST_P(RemoveDirectoryTest, TakesEmptyDirectoriesOnly) {
  fs_.MakeDirectory("/a");
  fs_.MakeDirectory("/a/b");
  EXPECT_EQ(fs_.RemoveDirectory("/a"), Code::kNotEmpty);
  EXPECT_EQ(fs_.RemoveDirectory("/a/b"), Code::kOk);
  EXPECT_EQ(fs_.Stat("/a").links(), 2u);
  fs_.MakeFile("/a/file");
  EXPECT_EQ(fs_.RemoveDirectory("/a/file"), Code::kNotDirectory);
  EXPECT_EQ(fs_.RemoveDirectory("/none"), Code::kNotFound);
  EXPECT_EQ(fs_.State().inode_count(), 3u);
}

TEST_P(RemoveDirectoryTest, StickyParentsKeepTheirEntries) {
  fs_.MakeDirectory("/sticky", 01777);
  fs_.MakeDirectory("/sticky/roots");
  fs_.As(User(7, 7));
  EXPECT_EQ(fs_.RemoveDirectory("/sticky/roots"), Code::kPermission);
  fs_.MakeDirectory("/sticky/mine");
  EXPECT_EQ(fs_.RemoveDirectory("/sticky/mine"), Code::kOk);
}

}  // namespace

}  // namespace cairn::testing
