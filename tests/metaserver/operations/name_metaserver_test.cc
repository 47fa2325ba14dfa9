#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

class NameMetaserverTest : public NamespaceTest {};
CAIRN_OVER_BOTH_STORES(NameMetaserverTest);

TEST_P(NameMetaserverTest, RuleM4IdsAreNeverGivenTwice) {
  v1::Command command;
  command.mutable_name_metaserver();
  const uint32_t first = fs_.Apply(command).server();
  EXPECT_EQ(fs_.Apply(command).server(), first + 1);
  EXPECT_EQ(fs_.Apply(command).server(), first + 2);
}

}  // namespace

}  // namespace cairn::testing
