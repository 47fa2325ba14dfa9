#include "metaserver/metaserver_config.h"

#include <gtest/gtest.h>

#include "tests/common/status_matchers.h"

namespace cairn {
namespace {

constexpr char kTls[] = "[tls]\nca = 'a'\ncertificate = 'b'\nkey = 'c'\n";

Result<MetaserverConfig> Parse(const std::string& text) {
  return ParseMetaserverConfig("metaserver.toml", text);
}

TEST(MetaserverConfig, FillsInThePorts) {
  const auto config = Parse(std::string("directory = '/d'\n") + kTls);
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->directory, "/d");
  EXPECT_EQ(config->listen.port, 7400);
  EXPECT_EQ(config->grpc_listen.port, 7401);
  EXPECT_EQ(config->tls.key, "c");
}

TEST(MetaserverConfig, AnUnknownKeyIsNamedWithItsPlace) {
  const auto config = Parse(std::string("directory = '/d'\nlisten_grpc = 'x'\n") + kTls);
  EXPECT_THAT(config, StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(config.error().message(), ::testing::HasSubstr("metaserver.toml:2"));
  EXPECT_THAT(config.error().message(), ::testing::HasSubstr("listen_grpc"));
}

TEST(MetaserverConfig, WithoutCertificatesItDoesNotStart) {
  EXPECT_THAT(Parse("directory = '/d'\n"), StatusIs(ErrorCode::kInvalidArgument));
}

TEST(MetaserverConfig, AnAddressThatIsNoneIsNamed) {
  EXPECT_THAT(Parse(std::string("directory = '/d'\nlisten = 'a:b:c'\n") + kTls),
              StatusIs(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace cairn
