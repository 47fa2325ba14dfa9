// The mount's session: kept, reclaimed, lost.
#include "client/session.h"

#include "tests/client/mount_fixture.h"

namespace cairn::testing {
namespace {

class SessionTest : public MountTest {};

TEST_F(SessionTest, TellsARestartedMetaserverWhatIsOpen) {
  MountOptions options = cluster_.Options();
  options.timeout = std::chrono::milliseconds(300);
  Mount(options);
  OpenFilePtr file = Create("a");
  cluster_.StopMetaserver();
  cluster_.metadata().ForgetOpens();
  EXPECT_FALSE(mount_->GetAttributes(inode_).has_value());
  cluster_.StartMetaserver();
  EXPECT_TRUE(Within(std::chrono::seconds(20),
                     [&] { return cluster_.metadata().OpenInodes().contains(inode_.value); }));
  Close(file);
}

TEST_F(SessionTest, ClosesAFileOnceItsLastHandleIsReleasedAndFlushed) {
  OpenFilePtr first = Create("a");
  OpenFilePtr second = Open(inode_).file;
  ASSERT_TRUE(Write(first, 0, "data").ok());
  Close(first);
  EXPECT_TRUE(cluster_.script().AwaitCount(v1::METADATA_COMMIT_WRITE, 1));
  EXPECT_EQ(cluster_.script().Count(v1::METADATA_CLOSE), 0u);
  Close(second);
  EXPECT_TRUE(cluster_.script().AwaitCount(v1::METADATA_CLOSE, 1));
  EXPECT_THAT(cluster_.metadata().OpenInodes(), ::testing::IsEmpty());
}

TEST_F(SessionTest, NeverSendsACloseBehindANewerOpen) {
  for (int i = 0; i < 20; ++i) {
    OpenFilePtr file = Create("f" + std::to_string(i));
    InodeId inode = inode_;
    Close(std::move(file));
    if (i % 2 == 0) cluster_.script().AwaitCount(v1::METADATA_CLOSE, 1);
    OpenFilePtr again = Open(inode).file;
    cluster_.script().ForgetEvents();
    Close(Create("other" + std::to_string(i)));
    EXPECT_TRUE(cluster_.script().AwaitCount(v1::METADATA_CLOSE, 1));
    EXPECT_TRUE(cluster_.metadata().OpenInodes().contains(inode.value));
    Close(std::move(again));
  }
}

// A mount that nobody uses must find the group again, whoever is in it by then.
TEST(SessionKeeperTest, AsksForTheMembersAlsoWithoutASession) {
  FakeCluster cluster;
  ChannelOptions options;
  options.hello.set_role(v1::ROLE_CLIENT);
  ChannelPool channels(options);
  client::MetaserverLink link(&channels, cluster.metaservers().Sockets());
  client::Session session(&link, {"id", "host", "/mnt", std::chrono::milliseconds(10)});
  ASSERT_TRUE(session.Start(Deadline::After(std::chrono::seconds(20))).ok());
  session.Lost(session.Current());
  const uint64_t before = cluster.metaservers().questions(1);
  const Deadline patience = Deadline::After(std::chrono::seconds(20));
  while (cluster.metaservers().questions(1) < before + 3 && !patience.Passed()) {
    absl::SleepFor(absl::Milliseconds(1));
  }
  EXPECT_FALSE(patience.Passed());
}

class RuleL1 : public MountTest {};

TEST_F(RuleL1, FilesOfALostSessionAnswerEioUntilReopened) {
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, "data").ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  cluster_.metadata().DropSessions();
  ASSERT_TRUE(mount_->MakeDirectory(who_, kRootInode, "new work", 0755).has_value());
  EXPECT_EQ(cluster_.metadata().sessions_opened(), 2u);
  ExpectCode(Write(file, 0, "more"), ErrorCode::kIoError);
  EXPECT_FALSE(mount_->Read(file, 0, 4).has_value());
  OpenFilePtr again = Open(inode_).file;
  EXPECT_EQ(Read(again, 0, 10), "data");
  EXPECT_TRUE(Write(again, 0, "DATA").ok());
  EXPECT_TRUE(mount_->Fsync(again).ok());
  mount_->Release(file);
  Close(again);
}

}  // namespace
}  // namespace cairn::testing
