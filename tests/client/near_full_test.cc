// Writes go through while a disk is nearly full.
#include "client/near_full.h"

#include "client/session.h"
#include "tests/client/mount_fixture.h"

namespace cairn::testing {
namespace {

TEST(NearFullTest, CountsForAWhileAfterItWasSaid) {
  ManualClock clock;
  client::NearFull near_full(clock);
  EXPECT_FALSE(near_full.Now());
  near_full.HeardOfDisk();
  clock.Advance(client::NearFull::kCounts - std::chrono::nanoseconds(1));
  EXPECT_TRUE(near_full.Now());
  near_full.HeardOfDisk();  // again: it counts anew
  clock.Advance(client::NearFull::kCounts - std::chrono::nanoseconds(1));
  EXPECT_TRUE(near_full.Now());
  clock.Advance(std::chrono::nanoseconds(1));
  EXPECT_FALSE(near_full.Now());
}

TEST(NearFullTest, TheMetaserverKnowsAllDisks) {
  ManualClock clock;
  client::NearFull near_full(clock);
  near_full.HeardOfCluster(true);
  EXPECT_TRUE(near_full.Now());
  near_full.HeardOfCluster(false);
  EXPECT_FALSE(near_full.Now());
}

class NearFullMountTest : public MountTest {
 protected:
  void RunOutOfSpace() {
    cluster_.script().Add(
        {v1::CHUNK_WRITE, Status(ErrorCode::kNoSpace, "scripted"), false, false, 1});
  }
};

TEST_F(NearFullMountTest, TheWriteThatFindsNoRoomSaysSoAndNoLaterCallDoes) {
  cluster_.chunks().SetNearFull(true);
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, "first").ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());  // its answer tells
  RunOutOfSpace();
  ExpectCode(Write(file, 5, "second"), ErrorCode::kNoSpace);
  EXPECT_TRUE(mount_->Flush(file).ok());
  EXPECT_TRUE(mount_->Fsync(file).ok());
  ASSERT_TRUE(Write(file, 5, "third").ok());
  EXPECT_EQ(Read(file, 0, 100), "firstthird");
  Close(file);
}

TEST_F(NearFullMountTest, AWriteReturnsWhenChunkserversHaveItAndWaitsForNoCommit) {
  cluster_.chunks().SetNearFull(true);
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, "first").ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  const Status busy(ErrorCode::kUnavailable, "scripted");
  cluster_.script().Add({v1::METADATA_COMMIT_WRITE, busy, false, false, 0});
  ASSERT_TRUE(Write(file, 5, "second").ok());
  EXPECT_EQ(cluster_.chunks().Bytes(inode_.value, 0).substr(0, 11), "firstsecond");
  cluster_.script().Clear();
  Close(file);
}

TEST_F(NearFullMountTest, AFullDiskMakesLaterWritesGoThrough) {
  OpenFilePtr file = Create("a");
  RunOutOfSpace();
  ASSERT_TRUE(Write(file, 0, "first").ok());  // buffered: nobody had warned
  ExpectCode(mount_->Fsync(file), ErrorCode::kNoSpace);
  RunOutOfSpace();
  ExpectCode(Write(file, 0, "second"), ErrorCode::kNoSpace);
  Close(file);
}

TEST_F(NearFullMountTest, ANewMountIsToldBeforeItsFirstWrite) {
  cluster_.metadata().SetNearFull(true);
  cluster_.metadata().DropSessions();
  Mount(cluster_.Options());
  OpenFilePtr file = Create("a");
  RunOutOfSpace();
  ExpectCode(Write(file, 0, "first"), ErrorCode::kNoSpace);
  Close(file);
}

TEST(NearFullSessionTest, ARenewalTakesItBack) {
  FakeCluster cluster;
  cluster.metadata().SetNearFull(true);
  const SystemClock clock;
  client::NearFull near_full(clock);
  ChannelOptions options;
  options.hello.set_role(v1::ROLE_CLIENT);
  ChannelPool channels(options);
  client::MetaserverLink link(&channels, cluster.metaservers().Sockets());
  client::Session session(&link,
                          {"id", "host", "/mnt", std::chrono::milliseconds(10), &near_full});
  ASSERT_TRUE(session.Start(Deadline::After(std::chrono::seconds(20))).ok());
  EXPECT_TRUE(near_full.Now());
  cluster.metadata().SetNearFull(false);
  const Deadline patience = Deadline::After(std::chrono::seconds(8));
  while (near_full.Now() && !patience.Passed()) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_FALSE(patience.Passed());
}

}  // namespace
}  // namespace cairn::testing
