#include "tests/metaserver/service/service_test.h"

namespace cairn::testing {

namespace {

class MetadataAttributesTest : public ServiceTest {};

TEST_F(MetadataAttributesTest, AnswersAttributesAndAccess) {
  v1::SetAttributesRequest set;
  set.set_inode(1);
  set.set_mode(0700);
  EXPECT_EQ(Ask<v1::EntryResponse>(v1::METADATA_SET_ATTRIBUTES, set)->attributes().mode(),
            0040700u);
  v1::GetAttributesRequest get;
  get.set_inode(1);
  EXPECT_EQ(Ask<v1::EntryResponse>(v1::METADATA_GET_ATTRIBUTES, get)->attributes().mode(),
            0040700u);
  get.set_inode(4711);
  EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_GET_ATTRIBUTES, get)), Code::kStaleHandle);
  v1::CheckAccessRequest check;
  check.set_inode(1);
  check.set_mask(4);
  EXPECT_TRUE(Ask<v1::CheckAccessResponse>(v1::METADATA_CHECK_ACCESS, check).has_value());
  check.mutable_caller()->set_uid(7);
  EXPECT_EQ(CodeOf(Ask<v1::CheckAccessResponse>(v1::METADATA_CHECK_ACCESS, check)),
            Code::kAccessDenied);
}

}  // namespace

}  // namespace cairn::testing
