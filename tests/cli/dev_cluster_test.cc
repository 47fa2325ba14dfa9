#include "cli/dev/dev_cluster.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <sstream>

#include "cli/app.h"
#include "cli/dev/clients.h"
#include "cli/dev/server_files.h"
#include "cli/dev/servers.h"
#include "common/config.h"
#include "tests/cli/scratch_directory.h"

namespace cairn {
namespace {

using testing::HasSubstr;

class DevClusterTest : public testing::Test {
 protected:
  DevCluster Create() {
    auto cluster = DevCluster::OpenOrCreate(scratch_.path(), {});
    EXPECT_TRUE(cluster.has_value()) << cluster.error().ToString();
    return *cluster;
  }
  ScratchDirectory scratch_;
};

TEST_F(DevClusterTest, KeepsItsShapeAndRefusesAnotherOne) {
  const DevCluster made = Create();
  const auto again = DevCluster::OpenOrCreate(scratch_.path(), {});
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(FormatShape(again->shape()), FormatShape(made.shape()));
  ShapeFlags flags;
  flags.chunk = 5;
  EXPECT_EQ(DevCluster::OpenOrCreate(scratch_.path(), flags).error().code(),
            ErrorCode::kInvalidArgument);
}

TEST_F(DevClusterTest, LeavesADirectoryWithOtherThingsAlone) {
  scratch_.Write("thesis.tex", "precious");
  EXPECT_EQ(DevCluster::OpenOrCreate(scratch_.path(), {}).error().code(), ErrorCode::kNotEmpty);
  EXPECT_EQ(DevCluster::Open(scratch_.path()).error().code(), ErrorCode::kNotFound);
}

TEST_F(DevClusterTest, ADirectoryTooDeepForASocketIsRefusedByName) {
  const std::string deep = scratch_.path() + "/" + std::string(100, 'd');
  std::filesystem::create_directories(deep);
  const auto cluster = DevCluster::OpenOrCreate(deep, {});
  ASSERT_FALSE(cluster.has_value());
  EXPECT_THAT(cluster.error().message(), HasSubstr("too long for a UNIX socket"));
}

TEST_F(DevClusterTest, FindsItsMembersAndNamesWhatItHas) {
  const DevCluster cluster = Create();
  EXPECT_EQ(cluster.Find("chunk", 3)->name(), "chunk3");
  EXPECT_THAT(cluster.Find("chunk", 4).error().message(), HasSubstr("has 3"));
  EXPECT_EQ(cluster.Find("client", 1).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(cluster.Find("disk", 1).error().code(), ErrorCode::kInvalidArgument);
}

TEST_F(DevClusterTest, APidFileOfAnotherProcessMeansDown) {
  const DevCluster cluster = Create();
  ASSERT_TRUE(WriteServerFiles(cluster).ok());
  const DevMember member{DevRole::kChunk, 1};
  EXPECT_EQ(cluster.State(member), ProcessState::kDown);
  ProcessIdentity self = *IdentityOf(::getpid());
  ASSERT_TRUE(StorePidFile(cluster.PidFile(member), self).ok());
  EXPECT_EQ(cluster.State(member), ProcessState::kRunning);
  self.start_time += 1;
  ASSERT_TRUE(StorePidFile(cluster.PidFile(member), self).ok());
  EXPECT_EQ(cluster.State(member), ProcessState::kDown);
}

TEST_F(DevClusterTest, OneChunkserverAndMostMetaserversAreEnoughToWriteBack) {
  const DevCluster cluster = Create();
  ASSERT_TRUE(WriteServerFiles(cluster).ok());
  EXPECT_FALSE(CanWriteBack(cluster));
  const ProcessIdentity self = *IdentityOf(::getpid());
  ASSERT_TRUE(StorePidFile(cluster.PidFile({DevRole::kMeta, 1}), self).ok());
  ASSERT_TRUE(StorePidFile(cluster.PidFile({DevRole::kChunk, 2}), self).ok());
  EXPECT_FALSE(CanWriteBack(cluster));
  ASSERT_TRUE(StorePidFile(cluster.PidFile({DevRole::kMeta, 3}), self).ok());
  EXPECT_TRUE(CanWriteBack(cluster));
}

TEST_F(DevClusterTest, APausedServerIsNotStartedButNamed) {
  const DevCluster cluster = Create();
  ASSERT_TRUE(WriteServerFiles(cluster).ok());
  const DevMember member{DevRole::kChunk, 2};
  ASSERT_TRUE(
      SpawnDetached({{"/bin/sleep", "600"}, cluster.LogFile(member), cluster.PidFile(member)})
          .has_value());
  EXPECT_TRUE(CheckNotPaused(cluster, member).ok());
  ASSERT_TRUE(SignalMember(cluster, member, SIGSTOP).ok());
  std::ostringstream out, err;
  EXPECT_EQ(static_cast<int>(RunCairn({"dev", "start", "chunk", "2", "--dir", scratch_.path()},
                                      Console{out, err, false})),
            6);
  EXPECT_EQ(err.str(), fmt::format("cairn: chunk2 is paused: 'cairn dev resume chunk 2 --dir {}'\n",
                                   scratch_.path()));
  EXPECT_TRUE(SignalMember(cluster, member, SIGKILL).ok());
}

TEST_F(DevClusterTest, OneThatEndedIsToldWithTheEndOfItsLogWhateverTheOthersDo) {
  const DevCluster cluster = Create();
  ASSERT_TRUE(WriteServerFiles(cluster).ok());
  scratch_.Write("log/meta2.log", "disk failed\n");
  ASSERT_TRUE(StorePidFile(cluster.PidFile({DevRole::kMeta, 1}), *IdentityOf(::getpid())).ok());
  EXPECT_TRUE(CheckRuns(cluster, {DevRole::kMeta, 1}).ok());
  EXPECT_THAT(CheckRuns(cluster, {DevRole::kMeta, 2}).message(), HasSubstr("disk failed"));
}

TEST_F(DevClusterTest, ConfigurationsHoldTheAgreedKeys) {
  const DevCluster cluster = Create();
  ASSERT_TRUE(WriteServerFiles(cluster).ok());
  ConfigReader meta("metaserver.toml", MetaserverConfig(cluster, {DevRole::kMeta, 1}));
  for (const char* key : {"directory", "listen", "grpc_listen", "unix_socket", "tls.ca",
                          "tls.certificate", "tls.key", "log.level"}) {
    EXPECT_NE(meta.RequiredString(key), "") << key;
  }
  EXPECT_TRUE(meta.Finish().ok());
  ConfigReader chunk("chunkserver.toml", ChunkserverConfig(cluster, {DevRole::kChunk, 2}));
  for (const char* key : {"directory", "listen", "host", "unix_socket", "tls.ca", "tls.certificate",
                          "tls.key", "log.level"}) {
    EXPECT_NE(chunk.RequiredString(key), "") << key;
  }
  EXPECT_EQ(chunk.Strings("metaservers").size(), 3u);
  EXPECT_TRUE(chunk.Finish().ok());
}

TEST_F(DevClusterTest, EachDiskOfAChunkserverHasADirectoryOfItsOwn) {
  ShapeFlags flags;
  flags.disks = 2;
  const auto cluster = DevCluster::OpenOrCreate(scratch_.path(), flags);
  ASSERT_TRUE(cluster.has_value()) << cluster.error().ToString();
  const DevMember second{DevRole::kChunk, 2};
  EXPECT_THAT(cluster->DiskDirectories(second),
              testing::ElementsAre(scratch_.path() + "/chunk2/disk1",
                                   scratch_.path() + "/chunk2/disk2"));
  ConfigReader chunk("chunkserver.toml", ChunkserverConfig(*cluster, second));
  EXPECT_EQ(chunk.Strings("directories"), cluster->DiskDirectories(second));
}

TEST_F(DevClusterTest, TheClientConfigReachesItsMetaserver) {
  const DevCluster cluster = Create();
  ASSERT_TRUE(WriteServerFiles(cluster).ok());
  const auto access = cluster.Access();
  ASSERT_TRUE(access.has_value()) << access.error().ToString();
  EXPECT_EQ(access->metaservers.at(0).port, cluster.shape().meta_ports[0].grpc);
  EXPECT_EQ(access->metaservers.at(2).port, cluster.shape().meta_ports[2].grpc);
  EXPECT_EQ(access->mount_source, fmt::format("unix:{0}/run/meta1.sock,unix:{0}/run/meta2.sock,"
                                              "unix:{0}/run/meta3.sock",
                                              scratch_.path()));
  EXPECT_TRUE(TlsContext::Load(access->tls).has_value());
}

TEST_F(DevClusterTest, AMountsSourceStaysAsItWasWhenAMetaserverIsAdded) {
  DevCluster cluster = Create();
  const std::string before = cluster.MountSource();
  Shape shape = cluster.shape();
  ASSERT_TRUE(AddMetaserver(shape).ok());
  ASSERT_TRUE(cluster.SaveShape(std::move(shape)).ok());
  ASSERT_TRUE(WriteServerFiles(cluster).ok());
  EXPECT_EQ(cluster.MountSource(), before);
  EXPECT_EQ(cluster.Access()->metaservers.size(), 4u);
  EXPECT_EQ(cluster.Find("meta", 4)->name(), "meta4");
}

TEST_F(DevClusterTest, OneVerbChangesItAtATime) {
  const auto lock = LockDevDirectory(scratch_.path());
  ASSERT_TRUE(lock.has_value());
  const auto second = LockDevDirectory(scratch_.path());
  ASSERT_FALSE(second.has_value());
  EXPECT_THAT(second.error().message(), HasSubstr(std::to_string(::getpid())));
}

TEST_F(DevClusterTest, RemembersEachMountOnce) {
  DevCluster cluster = Create();
  const std::string point = scratch_.path() + "/mnt";
  ASSERT_TRUE(RememberMounts(cluster, {point, point + "/", point + "/../mnt"}).ok());
  EXPECT_EQ(DevCluster::Open(scratch_.path())->shape().mounts, std::vector<std::string>{point});
  EXPECT_EQ(cluster.Clients().size(), 1u);
  DevCluster other = cluster;
  EXPECT_EQ(RememberMounts(other, {"/proc"}).code(), ErrorCode::kBusy);
}

TEST(MountArgumentsTest, JoinCertificatesAndOptions) {
  EXPECT_THAT(MountArguments("unix:/s", "/m", {"/ca", "/crt", "/key"}, "ro"),
              testing::ElementsAre("unix:/s", "/m", "-o", "ca=/ca,cert=/crt,key=/key,ro"));
  EXPECT_THAT(MountArguments("unix:/s", "/m", {"/a,b/ca", "/crt", "/key"}, ""),
              testing::ElementsAre("unix:/s", "/m", "-o", "ca=/a\\,b/ca,cert=/crt,key=/key"));
  EXPECT_THAT(MountArguments("h:1", "/m", {}, ""), testing::ElementsAre("h:1", "/m"));
}

}  // namespace
}  // namespace cairn
