#include "tests/metaserver/operations/groups.h"

namespace cairn::testing {

namespace {

class FoundClusterTest : public GroupsTest {};
CAIRN_OVER_BOTH_STORES(FoundClusterTest);

TEST_P(FoundClusterTest, AClusterIsFoundedOnce) {
  v1::Command found;
  found.mutable_found_cluster()->set_cluster_id("test");
  found.mutable_found_cluster()->set_copies(3);
  EXPECT_EQ(fs_.Run(found), Code::kOk);
  found.mutable_found_cluster()->set_cluster_id("other");
  EXPECT_EQ(fs_.Run(found), Code::kWrongCluster);
  EXPECT_EQ(fs_.Find<v1::Pool>(schema::PoolKey(PoolId(1)))->min_active(), 2u);
}

TEST_P(FoundClusterTest, NonsenseIsRefused) {
  v1::Command found;
  v1::FoundClusterCommand& request = *found.mutable_found_cluster();
  request.set_cluster_id("test");
  EXPECT_EQ(fs_.Run(found), Code::kInvalidArgument);  // no copies
  request.set_copies(3);
  request.set_min_active(4);
  EXPECT_EQ(fs_.Run(found), Code::kInvalidArgument);
  request.set_min_active(0);
  request.set_chunk_size(3u << 20);
  EXPECT_EQ(fs_.Run(found), Code::kInvalidArgument);
  request.set_chunk_size(128u << 20);
  EXPECT_EQ(fs_.Run(found), Code::kInvalidArgument);
  request.clear_chunk_size();
  request.set_cluster_id(std::string(65, 'c'));
  EXPECT_EQ(fs_.Run(found), Code::kInvalidArgument);
}

}  // namespace

}  // namespace cairn::testing
