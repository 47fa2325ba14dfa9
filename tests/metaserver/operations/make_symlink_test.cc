#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

class MakeSymlinkTest : public NamespaceTest {};
CAIRN_OVER_BOTH_STORES(MakeSymlinkTest);

TEST_P(MakeSymlinkTest, SymlinksKeepTheirTarget) {
  EXPECT_EQ(fs_.MakeSymlink("/link", "some/where"), Code::kOk);
  EXPECT_EQ(fs_.Inode("/link").symlink_target(), "some/where");
  EXPECT_EQ(fs_.Stat("/link").size(), 10u);
  EXPECT_EQ(fs_.MakeSymlink("/empty", ""), Code::kNotFound);
  EXPECT_EQ(fs_.MakeSymlink("/long", std::string(4096, 'x')), Code::kNameTooLong);
  EXPECT_EQ(fs_.MakeSymlink("/zero", std::string("a\0b", 3)), Code::kInvalidArgument);
  EXPECT_EQ(fs_.Unlink("/link"), Code::kOk);
}

}  // namespace

}  // namespace cairn::testing
