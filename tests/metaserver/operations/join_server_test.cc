#include "tests/metaserver/operations/groups.h"

namespace cairn::testing {

namespace {

class JoinServerTest : public GroupsTest {};
CAIRN_OVER_BOTH_STORES(JoinServerTest);

TEST_P(JoinServerTest, ADiskKeepsItsServerId) {
  EXPECT_EQ(Join("a", 1).server(), 1u);
  EXPECT_EQ(Join("b", 1).server(), 2u);
  const uint64_t version = fs_.State().map_version();
  EXPECT_EQ(Join("a", 1).server(), 1u);
  EXPECT_EQ(fs_.State().map_version(), version);  // nothing changed
  EXPECT_EQ(Join("a", 2, 99).server(), 1u);
  EXPECT_EQ(fs_.State().map_version(), version + 1);
  EXPECT_EQ(Namespace::CodeOf(Join("a", 1)), Code::kStaleRequest);
  EXPECT_EQ(Namespace::CodeOf(Join("", 1)), Code::kInvalidArgument);
}

}  // namespace

}  // namespace cairn::testing
