#include "fuse_client/mount_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cairn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(MountOptionsTest, TakesSeveralMetaserversWithTheDefaultPort) {
  auto arguments = ParseMountArguments("m1,m2:7500,[::1]", "");
  ASSERT_TRUE(arguments.has_value());
  std::vector<std::string> addresses;
  for (const Address& address : arguments->mount.metaservers) {
    addresses.push_back(address.ToString());
  }
  EXPECT_THAT(addresses, ElementsAre("m1:7400", "m2:7500", "[::1]:7400"));
}

TEST(MountOptionsTest, NamesTheUnknownOption) {
  auto arguments = ParseMountArguments("m1", "ro,frobnicate=3");
  ASSERT_FALSE(arguments.has_value());
  EXPECT_EQ(arguments.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(arguments.error().message(), HasSubstr("frobnicate"));
}

TEST(MountOptionsTest, TreatsDashAndUnderscoreAlike) {
  auto arguments = ParseMountArguments("m1", "allow-other,log-level=debug");
  ASSERT_TRUE(arguments.has_value());
  EXPECT_THAT(arguments->kernel, ElementsAre("allow_other"));
  EXPECT_EQ(arguments->log.level, "debug");
}

TEST(MountOptionsTest, PassesOverTheWordsOfFstab) {
  auto arguments = ParseMountArguments("m1", "rw,_netdev,nofail,x-systemd.automount,noauto");
  ASSERT_TRUE(arguments.has_value());
  EXPECT_TRUE(arguments->kernel.empty());
}

TEST(MountOptionsTest, LocalReadsAreOnUnlessSwitchedOff) {
  EXPECT_TRUE(ParseMountArguments("m1", "")->mount.local_reads);
  EXPECT_FALSE(ParseMountArguments("m1", "no-local-reads")->mount.local_reads);
}

TEST(MountOptionsTest, ReadsTimesWithTheirUnits) {
  EXPECT_EQ(ParseMountArguments("m1", "timeout=2m")->mount.timeout, std::chrono::minutes(2));
  EXPECT_EQ(ParseMountArguments("m1", "timeout=90")->mount.timeout, std::chrono::seconds(90));
  EXPECT_FALSE(ParseMountArguments("m1", "timeout=soon").has_value());
  EXPECT_FALSE(ParseMountArguments("m1", "timeout=10ms").has_value());
}

TEST(MountOptionsTest, ABackslashKeepsACommaInsideItsWord) {
  auto arguments = ParseMountArguments("unix:/a\\,b/\\\\c,m2", "ca=/x\\,y/ca.crt,ro");
  ASSERT_TRUE(arguments.has_value()) << arguments.error().ToString();
  ASSERT_EQ(arguments->mount.metaservers.size(), 2u);
  EXPECT_EQ(arguments->mount.metaservers[0].unix_path, "/a,b/\\c");
  EXPECT_EQ(arguments->tls.ca, "/x,y/ca.crt");
  EXPECT_TRUE(arguments->mount.read_only);
}

TEST(MountOptionsTest, RelativeFilesAreMeantFromTheGivenDirectory) {
  auto arguments = ParseMountArguments("m1", "ca=tls/ca.crt,cert=/etc/client.crt,log=mount.log");
  ASSERT_TRUE(arguments.has_value());
  ResolvePaths(*arguments, "/home/ann");
  EXPECT_EQ(arguments->tls.ca, "/home/ann/tls/ca.crt");
  EXPECT_EQ(arguments->tls.certificate, "/etc/client.crt");
  EXPECT_EQ(arguments->tls.key, "");
  EXPECT_EQ(arguments->log.file, "/home/ann/mount.log");
}

TEST(MountOptionsTest, ReadOnlyIsToldToTheKernelAndTheLibrary) {
  auto arguments = ParseMountArguments("m1", "ro");
  ASSERT_TRUE(arguments.has_value());
  EXPECT_TRUE(arguments->mount.read_only);
  EXPECT_THAT(arguments->kernel, ElementsAre("ro"));
}

}  // namespace
}  // namespace cairn
