#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

class UnlinkTest : public NamespaceTest {};
CAIRN_OVER_BOTH_STORES(UnlinkTest);

TEST_P(UnlinkTest, TheLastNameOfAnEmptyFileTakesItAway) {
  fs_.MakeFile("/x");
  const uint64_t before = fs_.State().inode_count();
  EXPECT_EQ(fs_.Unlink("/x"), Code::kOk);
  EXPECT_EQ(fs_.State().inode_count(), before - 1);
  EXPECT_EQ(fs_.Unlink("/x"), Code::kNotFound);
}

TEST_P(UnlinkTest, OtherNamesKeepTheFile) {
  fs_.MakeFile("/a");
  fs_.Link("/a", "/b");
  EXPECT_EQ(fs_.Stat("/a").links(), 2u);
  EXPECT_EQ(fs_.Unlink("/a"), Code::kOk);
  EXPECT_EQ(fs_.Stat("/b").links(), 1u);
}

TEST_P(UnlinkTest, RefusesDirectoriesAndStrangers) {
  fs_.MakeDirectory("/dir");
  fs_.MakeFile("/file");
  fs_.MakeDirectory("/sticky", 01777);
  fs_.MakeFile("/sticky/file");
  EXPECT_EQ(fs_.Unlink("/dir"), Code::kIsDirectory);
  fs_.As(User(7, 7));
  EXPECT_EQ(fs_.Unlink("/file"), Code::kAccessDenied);
  EXPECT_EQ(fs_.Unlink("/sticky/file"), Code::kPermission);
}

}  // namespace

}  // namespace cairn::testing
