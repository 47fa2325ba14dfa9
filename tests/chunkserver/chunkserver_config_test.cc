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
  EXPECT_THAT(config->directories, testing::ElementsAre("/var/lib/cairn"));
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

std::string WithDisks(const std::string& disks) {
  std::string text(kGood);
  const std::string one = "directory = \"/var/lib/cairn\"";
  return text.replace(text.find(one), one.size(), disks);
}

std::string RefusalOf(const std::string& disks) {
  const auto config = ParseChunkserverConfig("c.toml", WithDisks(disks));
  return config.has_value() ? "accepted" : config.error().message();
}

TEST(ChunkserverConfigTest, OneProcessMayHaveSeveralDisks) {
  const auto config =
      ParseChunkserverConfig("c.toml", WithDisks("directories = [\"/disk1\", \"/disk2/cairn\"]"));
  ASSERT_TRUE(config.has_value()) << config.error().ToString();
  EXPECT_THAT(config->directories, testing::ElementsAre("/disk1", "/disk2/cairn"));
}

TEST(ChunkserverConfigTest, DisksAreNamedInOneWayOnly) {
  EXPECT_EQ(RefusalOf("directory = \"/a\"\ndirectories = [\"/b\"]"),
            "c.toml:3:15: either 'directory' or 'directories', not both");
  EXPECT_EQ(RefusalOf("directories = []"), "c.toml:2:15: 'directories' names no directory");
  EXPECT_EQ(RefusalOf(""), "c.toml: missing key 'directory'");
}

TEST(ChunkserverConfigTest, TwoDisksAreTwoPlaces) {
  EXPECT_EQ(RefusalOf("directories = [\"/a\", \"/b\", \"/x/../a/\"]"),
            "c.toml:2:28: '/x/../a/' is named twice");
  EXPECT_EQ(RefusalOf("directories = [\"/a/b\", \"/a\"]"),
            "c.toml:2:24: '/a/b' and '/a' lie one in the other");
  EXPECT_EQ(RefusalOf("directories = [\"/\", \"/a\"]"),
            "c.toml:2:21: '/' and '/a' lie one in the other");
  EXPECT_EQ(RefusalOf("directories = [\"/a\", \"\"]"),
            "c.toml:2:22: a directory's name is empty");
  EXPECT_EQ(RefusalOf("directories = [\"/ab\", \"/a\"]"), "accepted");
}

}  // namespace
}  // namespace cairn
