#include "tests/metaserver/operations/groups.h"

namespace cairn::testing {

namespace {

class SetPoolTest : public GroupsTest {};
CAIRN_OVER_BOTH_STORES(SetPoolTest);

TEST_P(SetPoolTest, MinActiveStaysWithinTheCopies) {
  v1::Command command;
  command.mutable_set_pool()->set_pool(1);
  command.mutable_set_pool()->set_min_active(4);
  EXPECT_EQ(fs_.Run(command), Code::kInvalidArgument);
  command.mutable_set_pool()->set_min_active(1);
  EXPECT_EQ(fs_.Run(command), Code::kOk);
  EXPECT_EQ(fs_.Find<v1::Pool>(schema::PoolKey(PoolId(1)))->min_active(), 1u);
  command.mutable_set_pool()->set_pool(2);
  EXPECT_EQ(fs_.Run(command), Code::kNotFound);
}

TEST_P(SetPoolTest, AGenerationEndsOnceAndOnlyIfItHasGroups) {
  v1::Command command;
  command.mutable_set_pool()->set_pool(1);
  command.mutable_set_pool()->set_end_generation(1);
  const auto pool = [&] { return *fs_.Find<v1::Pool>(schema::PoolKey(PoolId(1))); };
  EXPECT_EQ(fs_.Run(command), Code::kOk);
  EXPECT_EQ(pool().generation(), 1u) << "it has none";
  Join("a", 1);
  ASSERT_EQ(Create({Group({1})}), Code::kOk);
  EXPECT_EQ(fs_.Run(command), Code::kOk);
  EXPECT_EQ(pool().generation(), 2u);
  ASSERT_EQ(Create({Group({1})}), Code::kOk);
  EXPECT_EQ(fs_.Run(command), Code::kOk) << "asked for again";
  EXPECT_EQ(pool().generation(), 2u);
  EXPECT_EQ(pool().earlier_size(), 1);
}

}  // namespace

}  // namespace cairn::testing
