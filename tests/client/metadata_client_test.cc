// Requests that are lost, refused, busy or late.
#include "client/metadata_client.h"

#include <atomic>
#include <thread>

#include "tests/client/mount_fixture.h"

namespace cairn::testing {
namespace {

class MetadataClientTest : public MountTest {};

// RuleM3: the answer of mkdir is lost; its retry is not told EEXIST by its own success.
TEST(RuleM3, ARetriedChangeRunsOnce) {
  FakeCluster cluster;
  auto mount = MountedFileSystem::Mount(cluster.Options());
  ASSERT_TRUE(mount.has_value());
  Status lost(ErrorCode::kUnavailable, "the answer is lost");
  cluster.script().Add({v1::METADATA_MAKE_DIRECTORY, lost, true, false, 3});
  EXPECT_TRUE((*mount)->MakeDirectory({}, kRootInode, "d", 0755).has_value());
  EXPECT_EQ(cluster.script().Count(v1::METADATA_MAKE_DIRECTORY), 4u);
  EXPECT_EQ(cluster.metadata().changes_run(), 1u);
}

// RuleM3: the answer is lost, and the leader is too busy to say what became of the change.
TEST(RuleM3, AChangeThatMayHaveRunKeepsItsNumberWhenToldBusy) {
  FakeCluster cluster;
  auto mount = MountedFileSystem::Mount(cluster.Options());
  ASSERT_TRUE(mount.has_value());
  const Status lost(ErrorCode::kUnavailable, "the answer is lost");
  const Status busy(ErrorCode::kBusy, "leadership is being handed over");
  cluster.script().Add({v1::METADATA_MAKE_DIRECTORY, lost, /*run_first=*/true, false, 1});
  cluster.script().Add({v1::METADATA_MAKE_DIRECTORY, busy, false, false, 2});
  EXPECT_TRUE((*mount)->MakeDirectory({}, kRootInode, "d", 0755).has_value());
  EXPECT_EQ(cluster.script().Count(v1::METADATA_MAKE_DIRECTORY), 4u);
  EXPECT_EQ(cluster.metadata().changes_run(), 1u);
}

// What is told busy is not run again in a new session either: the first may have done it.
TEST(RuleM3, AChangeThatMayHaveRunEndsWithItsSession) {
  FakeCluster cluster;
  auto mount = MountedFileSystem::Mount(cluster.Options());
  ASSERT_TRUE(mount.has_value());
  const Status lost(ErrorCode::kUnavailable, "the answer is lost");
  const Status gone(ErrorCode::kUnknownSession, "expired");
  cluster.script().Add({v1::METADATA_MAKE_DIRECTORY, lost, /*run_first=*/true, false, 1});
  cluster.script().Add({v1::METADATA_MAKE_DIRECTORY, Status(ErrorCode::kBusy, "later")});
  cluster.script().Add({v1::METADATA_MAKE_DIRECTORY, gone});
  const auto made = (*mount)->MakeDirectory({}, kRootInode, "d", 0755);
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code(), ErrorCode::kIoError);
  EXPECT_EQ(cluster.metadata().changes_run(), 1u);
}

TEST_F(MetadataClientTest, AsksAgainWhenToldBusyUntilTheTimeout) {
  MountOptions options = cluster_.Options();
  options.timeout = std::chrono::milliseconds(300);
  Mount(options);
  cluster_.script().Add({v1::METADATA_MAKE_DIRECTORY, Status(ErrorCode::kBusy, "later")});
  EXPECT_TRUE(mount_->MakeDirectory(who_, kRootInode, "d", 0755).has_value());
  cluster_.script().Add(
      {v1::METADATA_MAKE_DIRECTORY, Status(ErrorCode::kBusy, "later"), false, false, /*times=*/0});
  ExpectCode(mount_->MakeDirectory(who_, kRootInode, "e", 0755).error(), ErrorCode::kBusy);
}

TEST_F(MetadataClientTest, WaitsForAMetaserverThatComesBack) {
  cluster_.StopMetaserver();
  std::atomic<bool> asked{false};
  std::thread caller([&] {
    asked = true;
    EXPECT_TRUE(mount_->MakeDirectory(who_, kRootInode, "d", 0755).has_value());
  });
  EXPECT_TRUE(Within(std::chrono::seconds(20), [&] { return asked.load(); }));
  cluster_.StartMetaserver();
  caller.join();
}

TEST_F(MetadataClientTest, GivesUpAfterTheTimeoutAndSaysWhoIsGone) {
  MountOptions options = cluster_.Options();
  options.timeout = std::chrono::milliseconds(300);
  Mount(options);
  cluster_.StopMetaserver();
  Deadline patience = Deadline::After(std::chrono::seconds(10));
  auto made = mount_->MakeDirectory(who_, kRootInode, "d", 0755);
  ASSERT_FALSE(made.has_value());
  EXPECT_FALSE(patience.Passed());
  ExpectCode(made.error(), ErrorCode::kDeadlineExceeded);
  EXPECT_THAT(made.error().message(), ::testing::HasSubstr("meta1.sock"));
  cluster_.StartMetaserver();
}

TEST_F(MetadataClientTest, FindsTheMetaserverThatAnswers) {
  MountOptions options = cluster_.Options();
  Address nobody;
  nobody.unix_path = options.metaservers[0].unix_path + ".nobody";
  options.metaservers.insert(options.metaservers.begin(), nobody);
  Mount(options);
  EXPECT_TRUE(mount_->MakeDirectory(who_, kRootInode, "d", 0755).has_value());
}

TEST_F(MetadataClientTest, PassesAnErrorOfTheOperationOn) {
  ASSERT_TRUE(mount_->MakeDirectory(who_, kRootInode, "d", 0755).has_value());
  ExpectCode(mount_->MakeDirectory(who_, kRootInode, "d", 0755).error(), ErrorCode::kExists);
  ExpectCode(mount_->Unlink(who_, kRootInode, "x"), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace cairn::testing
