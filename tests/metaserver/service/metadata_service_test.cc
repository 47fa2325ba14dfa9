#include "tests/metaserver/service/service_test.h"

namespace cairn::testing {

namespace {

class MetadataServiceTest : public ServiceTest {};

TEST_F(MetadataServiceTest, AUserOnTheSocketSpeaksForNobodyElse) {
  peer_.kind = PeerIdentity::Kind::kUnixSocket;
  peer_.uid = 54321;
  v1::LookupRequest lookup;
  lookup.set_parent(1);
  lookup.set_name("x");
  EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_LOOKUP, lookup)), Code::kPermission);
  EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_CREATE, CreateOf("x", 0))),
            Code::kPermission);
  lookup.mutable_caller()->set_uid(54321);
  EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_LOOKUP, lookup)), Code::kNotFound);
  peer_.uid = 0;
  lookup.mutable_caller()->set_uid(7);
  EXPECT_EQ(CodeOf(Ask<v1::EntryResponse>(v1::METADATA_LOOKUP, lookup)), Code::kNotFound);
}

}  // namespace

}  // namespace cairn::testing
