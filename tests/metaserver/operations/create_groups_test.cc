#include "tests/metaserver/operations/groups.h"

namespace cairn::testing {

namespace {

class CreateGroupsTest : public GroupsTest {};
CAIRN_OVER_BOTH_STORES(CreateGroupsTest);

TEST_P(CreateGroupsTest, GroupsAreMadeOnce) {
  Join("a", 1);
  Join("b", 1);
  EXPECT_EQ(Create({}), Code::kInvalidArgument);
  EXPECT_EQ(Create({Group({1, 2}), Group({2, 1})}), Code::kOk);
  EXPECT_EQ(Create({Group({1, 2})}), Code::kExists);
  const auto pool = fs_.Find<v1::Pool>(schema::PoolKey(PoolId(1)));
  EXPECT_EQ(pool->first_group(), 1u);
  EXPECT_EQ(pool->group_count(), 2u);
  EXPECT_EQ(Stored(2).epoch(), 1u);
  EXPECT_EQ(Stored(2).changed_at(), fs_.State().map_version());
}

}  // namespace

}  // namespace cairn::testing
