#include "tests/metaserver/service/service_test.h"

namespace cairn::testing {

namespace {

class MetadataClusterTest : public ServiceTest {};

TEST_F(MetadataClusterTest, FetchesTheMapOfAPool) {
  v1::FetchMapRequest fetch;
  fetch.set_pool(1);
  const auto map = Ask<v1::ClusterMap>(v1::METADATA_FETCH_MAP, fetch);
  ASSERT_TRUE(map.has_value());
  EXPECT_EQ(map->pools_size(), 1);
  EXPECT_EQ(map->version(), 1u);
  fetch.set_pool(9);
  EXPECT_EQ(CodeOf(Ask<v1::ClusterMap>(v1::METADATA_FETCH_MAP, fetch)), Code::kNotFound);
}

TEST_F(MetadataClusterTest, AnswersTheRoomThatIsLeft) {
  const auto room = Ask<v1::StatFsResponse>(v1::METADATA_STATFS, v1::StatFsRequest());
  EXPECT_EQ(room->total_bytes(), 1000u);
  EXPECT_EQ(room->available_bytes(), 400u);
  EXPECT_EQ(room->inodes(), 1u);
}

}  // namespace

}  // namespace cairn::testing
