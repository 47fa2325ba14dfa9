#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

class MakeDirectoryTest : public NamespaceTest {};
CAIRN_OVER_BOTH_STORES(MakeDirectoryTest);

TEST_P(MakeDirectoryTest, TheStickyBitIsTakenAndSetIdBitsAreNot) {
  EXPECT_EQ(fs_.MakeDirectory("/a", 07777), Code::kOk);
  EXPECT_EQ(fs_.Mode("/a"), 01777u);
  EXPECT_EQ(fs_.MakeDirectory("/a"), Code::kExists);
}

TEST_P(MakeDirectoryTest, AChildLinksToItsParent) {
  fs_.MakeDirectory("/a");
  fs_.MakeDirectory("/a/b");
  EXPECT_EQ(fs_.Stat("/a").links(), 3u);
  EXPECT_EQ(fs_.Stat("/a/b").links(), 2u);
  EXPECT_EQ(fs_.Inode("/a/b").parent(), fs_.Resolve("/a").value);
}

}  // namespace

}  // namespace cairn::testing
