#include "metaserver/cluster/metaserver_address.h"

#include <gtest/gtest.h>

#include "tests/common/status_matchers.h"

namespace cairn {
namespace {

v1::MetaserverAddress At(const std::string& host, uint32_t port, uint32_t grpc_port) {
  v1::MetaserverAddress address;
  address.mutable_frames()->set_host(host);
  address.mutable_frames()->set_port(port);
  address.mutable_grpc()->set_host(host);
  address.mutable_grpc()->set_port(grpc_port);
  return address;
}

TEST(MetaserverAddressTest, ComesBackFromItsText) {
  EXPECT_EQ(*FormatMetaserver(At("m1", 7400, 7401)), "m1:7400 m1:7401");
  for (const char* host : {"m1.example", "10.0.0.1", "fd00::1"}) {
    const v1::MetaserverAddress address = At(host, 7400, 7401);
    const auto back = ParseMetaserver(*FormatMetaserver(address));
    ASSERT_THAT(back, IsOk());
    EXPECT_EQ(back->SerializeAsString(), address.SerializeAsString());
  }
}

TEST(MetaserverAddressTest, WhereNobodyCanListenIsRefused) {
  EXPECT_THAT(FormatMetaserver(At("", 1, 1)), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(FormatMetaserver(At("m1", 0, 1)), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(FormatMetaserver(At("m1", 1, 70000)), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(FormatMetaserver(At("m1 m2", 1, 1)), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(FormatMetaserver(At(std::string(300, 'h'), 1, 1)),
              StatusIs(ErrorCode::kInvalidArgument));
}

TEST(MetaserverAddressTest, OtherTextIsRefused) {
  EXPECT_THAT(ParseMetaserver("m1:7400"), StatusIs(ErrorCode::kCorruption));
  EXPECT_FALSE(ParseMetaserver("m1:x m1:7401").has_value());
}

}  // namespace
}  // namespace cairn
