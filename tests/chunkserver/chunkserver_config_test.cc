#include "chunkserver/chunkserver_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cairn {
namespace {

constexpr std::string_view kGood = R"(
directory = "/var/lib/cairn"
listen = "127.0.0.1:0"
unix_socket = "/run/cairn/chunk.sock"
metaservers = ["m1", "m2:99"]
host = "h"
[tls]
ca = "ca.pem"
certificate = "c.pem"
key = "k.pem"
[log]
level = "debug"
)";

TEST(ChunkserverConfigTest, ReadsEveryKey) {
  const Result<ChunkserverConfig> config = ParseChunkserverConfig("c.toml", kGood);
  ASSERT_TRUE(config.has_value()) << config.error().ToString();
  EXPECT_EQ(config->directory, "/var/lib/cairn");
  EXPECT_EQ(config->listen.port, 0);
  EXPECT_EQ(config->unix_socket, "/run/cairn/chunk.sock");
  ASSERT_EQ(config->metaservers.size(), 2u);
  EXPECT_EQ(config->metaservers[0].port, 7401);
  EXPECT_EQ(config->metaservers[1].port, 99);
  EXPECT_EQ(config->host, "h");
  EXPECT_EQ(config->tls.key, "k.pem");
  EXPECT_EQ(config->log.level, "debug");
}

TEST(ChunkserverConfigTest, RefusesAnUnknownKeyAndAMissingOneByName) {
  const auto unknown =
      ParseChunkserverConfig("c.toml", std::string("lisen = 1\n") + std::string(kGood));
  ASSERT_FALSE(unknown.has_value());
  EXPECT_THAT(unknown.error().message(), testing::HasSubstr("lisen"));
  const auto missing = ParseChunkserverConfig("c.toml", "metaservers = [\"m\"]");
  ASSERT_FALSE(missing.has_value());
  EXPECT_THAT(missing.error().message(), testing::HasSubstr("directory"));
}

}  // namespace
}  // namespace cairn
