#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

using ::testing::UnorderedElementsAre;

constexpr uint32_t kNoReplace = 1;
constexpr uint32_t kExchange = 2;

class RenameTest : public NamespaceTest {};
CAIRN_OVER_BOTH_STORES(RenameTest);

TEST_P(RenameTest, MovesAFileToAnotherDirectory) {
  fs_.MakeDirectory("/a");
  fs_.MakeDirectory("/b");
  fs_.MakeFile("/a/x");
  const InodeId file = fs_.Resolve("/a/x");
  EXPECT_EQ(fs_.Rename("/a/x", "/b/y"), Code::kOk);
  EXPECT_EQ(fs_.Resolve("/b/y"), file);
  EXPECT_THAT(fs_.List("/a"), UnorderedElementsAre());
}

TEST_P(RenameTest, ReplacesAnEmptyDirectoryButNotAFullOne) {
  fs_.MakeDirectory("/src");
  fs_.MakeDirectory("/empty");
  fs_.MakeDirectory("/full");
  fs_.MakeFile("/full/file");
  EXPECT_EQ(fs_.Rename("/src", "/full"), Code::kNotEmpty);
  EXPECT_EQ(fs_.Rename("/src", "/empty"), Code::kOk);
  EXPECT_THAT(fs_.List("/"), UnorderedElementsAre("empty", "full"));
}

TEST_P(RenameTest, AMovedDirectoryTakesItsParentAndLinksAlong) {
  fs_.MakeDirectory("/a");
  fs_.MakeDirectory("/b");
  fs_.MakeDirectory("/a/d");
  EXPECT_EQ(fs_.Rename("/a/d", "/b/d"), Code::kOk);
  EXPECT_EQ(fs_.Stat("/a").links(), 2u);
  EXPECT_EQ(fs_.Stat("/b").links(), 3u);
  EXPECT_EQ(fs_.Inode("/b/d").parent(), fs_.Resolve("/b").value);
  fs_.MakeDirectory("/c");
  EXPECT_EQ(fs_.Rename("/b/d", "/c"), Code::kOk);  // over an empty directory
  EXPECT_EQ(fs_.Stat("/").links(), 5u);
  EXPECT_EQ(fs_.Inode("/c").parent(), kRootInode.value);
}

TEST_P(RenameTest, ADirectoryDoesNotMoveBelowItself) {
  fs_.MakeDirectory("/a");
  fs_.MakeDirectory("/a/b");
  fs_.MakeDirectory("/a/b/c");
  EXPECT_EQ(fs_.Rename("/a", "/a/x"), Code::kInvalidArgument);
  EXPECT_EQ(fs_.Rename("/a", "/a/b/c/x"), Code::kInvalidArgument);
  EXPECT_EQ(fs_.Rename("/a/b/c", "/a", kExchange), Code::kInvalidArgument);
  EXPECT_EQ(fs_.Rename("/a/b/c", "/a"), Code::kNotEmpty);
  EXPECT_EQ(fs_.Rename("/a/b/c", "/c"), Code::kOk);
}

TEST_P(RenameTest, TypesMustMatch) {
  fs_.MakeDirectory("/dir");
  fs_.MakeFile("/file");
  EXPECT_EQ(fs_.Rename("/dir", "/file"), Code::kNotDirectory);
  EXPECT_EQ(fs_.Rename("/file", "/dir"), Code::kIsDirectory);
  EXPECT_EQ(fs_.Rename("/none", "/dir"), Code::kNotFound);
}

TEST_P(RenameTest, FlagsAreObeyed) {
  fs_.MakeDirectory("/dir");
  fs_.MakeDirectory("/dir/sub");
  fs_.MakeFile("/file");
  const InodeId sub = fs_.Resolve("/dir/sub");
  EXPECT_EQ(fs_.Rename("/file", "/dir", kNoReplace), Code::kExists);
  EXPECT_EQ(fs_.Rename("/file", "/none", kExchange), Code::kNotFound);
  EXPECT_EQ(fs_.Rename("/file", "/x", kNoReplace | kExchange), Code::kInvalidArgument);
  EXPECT_EQ(fs_.Rename("/file", "/x", 4), Code::kInvalidArgument);
  EXPECT_EQ(fs_.Rename("/file", "/dir/sub", kExchange), Code::kOk);
  EXPECT_EQ(fs_.Resolve("/file"), sub);
  EXPECT_EQ(fs_.Inode("/file").parent(), kRootInode.value);
  EXPECT_EQ(fs_.Stat("/dir").links(), 2u);
  EXPECT_EQ(fs_.Stat("/").links(), 4u);
  EXPECT_EQ(fs_.Rename("/file", "/free", kNoReplace), Code::kOk);
}

TEST_P(RenameTest, TwoNamesOfOneFileStayAsTheyAre) {
  fs_.MakeFile("/a");
  fs_.Link("/a", "/b");
  EXPECT_EQ(fs_.Rename("/a", "/b"), Code::kOk);
  EXPECT_THAT(fs_.List("/"), UnorderedElementsAre("a", "b"));
  EXPECT_EQ(fs_.Rename("/a", "/b", kNoReplace), Code::kExists);
}

TEST_P(RenameTest, AReplacedFileLivesOnWhileItIsHeld) {
  const uint64_t session = fs_.OpenSession("mount");
  fs_.MakeFile("/old");
  fs_.MakeFile("/new");
  const InodeId old = fs_.Resolve("/old");
  fs_.HeldBy({session});
  EXPECT_EQ(fs_.Rename("/new", "/old"), Code::kOk);
  EXPECT_TRUE(fs_.Find<v1::OrphanRecord>(schema::OrphanKey(old)).has_value());
  EXPECT_EQ(fs_.Find<v1::InodeRecord>(schema::InodeKey(old))->attributes().links(), 0u);
}

TEST_P(RenameTest, RightsAndStickyBitsAreChecked) {
  fs_.MakeDirectory("/open", 0777);
  fs_.MakeDirectory("/sticky", 01777);
  fs_.MakeDirectory("/closed", 0755);
  fs_.MakeFile("/sticky/roots");
  fs_.MakeFile("/closed/file");
  fs_.MakeDirectory("/open/roots");
  fs_.As(User(7, 7));
  EXPECT_EQ(fs_.Rename("/sticky/roots", "/open/x"), Code::kPermission);
  EXPECT_EQ(fs_.Rename("/closed/file", "/open/x"), Code::kAccessDenied);
  // Its ".." would change, and it is not ours to write.
  EXPECT_EQ(fs_.Rename("/open/roots", "/sticky/x"), Code::kAccessDenied);
  EXPECT_EQ(fs_.Rename("/open/roots", "/open/x"), Code::kOk);
  fs_.MakeFile("/open/mine");
  EXPECT_EQ(fs_.Rename("/open/mine", "/sticky/roots"), Code::kPermission);
}

TEST_P(RenameTest, TimesOfParentsAndOfTheFileFollow) {
  fs_.MakeDirectory("/a");
  fs_.MakeDirectory("/b");
  fs_.MakeFile("/a/x");
  const v1::Attributes before = fs_.Stat("/a/x");
  ASSERT_EQ(fs_.Rename("/a/x", "/b/x"), Code::kOk);
  const int64_t moved = fs_.Stat("/b/x").change_time().seconds();
  EXPECT_GT(moved, before.change_time().seconds());
  EXPECT_EQ(fs_.Stat("/b/x").modify_time().seconds(), before.modify_time().seconds());
  EXPECT_EQ(fs_.Stat("/a").modify_time().seconds(), moved);
  EXPECT_EQ(fs_.Stat("/b").change_time().seconds(), moved);
}

}  // namespace

}  // namespace cairn::testing
