#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

class ReserveInodesTest : public NamespaceTest {};
CAIRN_OVER_BOTH_STORES(ReserveInodesTest);

TEST_P(ReserveInodesTest, RuleM1RangesFollowEachOtherAndAreBounded) {
  v1::Command command;
  command.mutable_reserve_inodes()->set_count(100);
  const uint64_t first = fs_.Apply(command).first_inode();
  EXPECT_GT(first, kRootInode.value);
  EXPECT_EQ(fs_.Apply(command).first_inode(), first + 100);
  for (uint64_t count : {uint64_t{0}, uint64_t{1} << 21, UINT64_MAX}) {
    command.mutable_reserve_inodes()->set_count(count);
    EXPECT_EQ(fs_.Run(command), Code::kInvalidArgument);
  }
}

}  // namespace

}  // namespace cairn::testing
