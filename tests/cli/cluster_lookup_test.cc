#include "cli/cluster_lookup.h"

#include <gmock/gmock.h>

#include "tests/cli/scratch_directory.h"

namespace cairn {
namespace {

using testing::HasSubstr;

std::string Config(const std::string& host) {
  return "metaservers = [\"" + host +
         "\"]\n[tls]\nca = \"/ca\"\ncertificate = \"/crt\"\nkey = \"/key\"\n";
}

// Every source names another cluster; removing the first one reveals the next.
class ClusterLookupTest : public testing::Test {
 protected:
  ClusterLookupTest() {
    scratch_.Write("dev/client.toml", Config("from-dir"));
    scratch_.Write("default/client.toml", Config("from-default"));
    environment_.cluster = "from-environment";
    environment_.client_config = scratch_.Write("etc/client.toml", Config("from-etc"));
    environment_.default_directory = scratch_.path() + "/default";
    options_.directory = scratch_.path() + "/dev";
    options_.cluster = "from-flag:7777";
  }
  std::string Found() {
    const auto access = FindCluster(options_, environment_);
    return access.has_value() ? access->metaservers.at(0).ToString() : access.error().ToString();
  }

  ScratchDirectory scratch_;
  ClusterOptions options_;
  LookupEnvironment environment_;
};

TEST_F(ClusterLookupTest, LooksInTheOrderOfTheDesign) {
  EXPECT_EQ(Found(), "from-dir:7401");
  options_.directory.clear();
  EXPECT_EQ(Found(), "from-flag:7777");
  options_.cluster.clear();
  EXPECT_EQ(Found(), "from-environment:7401");
  environment_.cluster.clear();
  EXPECT_EQ(Found(), "from-etc:7401");
  environment_.client_config = scratch_.path() + "/absent";
  EXPECT_EQ(Found(), "from-default:7401");
  environment_.default_directory.clear();
  EXPECT_THAT(Found(), HasSubstr("no cluster"));
}

TEST_F(ClusterLookupTest, ADirectoryThatIsNoClusterIsNotPassedOver) {
  options_.directory = scratch_.path() + "/etc/..";
  const auto access = FindCluster(options_, environment_);
  ASSERT_FALSE(access.has_value());
  EXPECT_EQ(access.error().code(), ErrorCode::kNotFound);
}

TEST_F(ClusterLookupTest, AddressesUseTheCertificatesOfTheHost) {
  options_.directory.clear();
  EXPECT_EQ(FindCluster(options_, environment_)->tls.ca, "/ca");
  options_.tls_directory = "/elsewhere";
  EXPECT_EQ(FindCluster(options_, environment_)->tls.certificate, "/elsewhere/admin.crt");
  options_.tls_directory.clear();
  environment_.client_config = scratch_.path() + "/absent";
  EXPECT_THAT(Found(), HasSubstr("no certificates"));
}

TEST_F(ClusterLookupTest, TheMountSourceIsTheFramesPortOfTheSameHosts) {
  options_.directory.clear();
  options_.cluster = "a,[::1]:9999";
  EXPECT_EQ(FindCluster(options_, environment_)->mount_source, "a:7400,[::1]:7400");
}

TEST_F(ClusterLookupTest, ASocketIsNoMetaserverToACommand) {
  options_.directory.clear();
  options_.cluster = "a,unix:/run/meta.sock";
  EXPECT_EQ(FindCluster(options_, environment_).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(Found(), HasSubstr("--cluster: unix:/run/meta.sock is a socket"));
  EXPECT_THAT(ParseClientConfig("client.toml", Config("unix:/s")).error().message(),
              HasSubstr("client.toml: unix:/s is a socket"));
}

TEST_F(ClusterLookupTest, ADirectoryIsToldOnlyWhereItHasToBe) {
  EXPECT_EQ(DirOption("/d", environment_), " --dir /d");
  EXPECT_NE(DirOption(environment_.default_directory, environment_), "");  // hidden by the others
  environment_.cluster.clear();
  environment_.client_config = scratch_.path() + "/absent";
  EXPECT_EQ(DirOption("/d", environment_), " --dir /d");
  EXPECT_EQ(DirOption(environment_.default_directory, environment_), "");
}

TEST(ClientConfigTest, RefusesUnknownKeysAndNoMetaserver) {
  EXPECT_THAT(ParseClientConfig("client.toml", "metaserver = 1\n").error().message(),
              HasSubstr("client.toml:1:1"));
  EXPECT_THAT(ParseClientConfig("client.toml", "").error().message(), HasSubstr("metaservers"));
}

TEST(DevDirectoryTest, IsAbsoluteWithoutATrailingSlash) {
  EXPECT_EQ(*DevDirectory("/tmp/./x/", LookupEnvironment{}), "/tmp/x");
  EXPECT_FALSE(DevDirectory("", LookupEnvironment{}).has_value());
}

}  // namespace
}  // namespace cairn
