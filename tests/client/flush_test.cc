// Fsync beside others, for long, and of what this mount did not write.
#include <atomic>
#include <thread>

#include "tests/client/mount_fixture.h"

namespace cairn::testing {
namespace {

class FlushTest : public MountTest {
 protected:
  void HoldSyncs(Status status, uint32_t times) {
    cluster_.script().Add({v1::CHUNK_SYNC, std::move(status), true, true, times});
  }
};

TEST_F(FlushTest, AnFsyncBesideAnotherAnswersForItself) {
  Status broken(ErrorCode::kNoSpace, "scripted");
  OpenFilePtr first = Create("a");
  OpenFilePtr second = Open(inode_).file;
  ASSERT_TRUE(Write(first, 0, "data").ok());
  HoldSyncs(broken, 1);
  Status first_synced, second_synced;
  std::thread one([&] { first_synced = mount_->Fsync(first); });
  ASSERT_TRUE(cluster_.script().AwaitHeld(1));
  cluster_.script().Add({v1::CHUNK_SYNC, broken});
  std::atomic<bool> answered{false};
  std::thread two([&] {
    second_synced = mount_->Fsync(second);
    answered = true;
  });
  EXPECT_FALSE(Within(std::chrono::milliseconds(200), [&] { return answered.load(); }));
  cluster_.script().LetGo();
  one.join();
  two.join();
  ExpectCode(first_synced, ErrorCode::kNoSpace);
  ExpectCode(second_synced, ErrorCode::kNoSpace);
  EXPECT_TRUE(mount_->Fsync(second).ok());
  Close(first);
  Close(second);
}

// Three primaries, of which one more gets done in each try.
TEST_F(FlushTest, AnFsyncHasItsTimeoutAgainWhileChunksGetDone) {
  MountOptions options = cluster_.Options();
  options.timeout = std::chrono::milliseconds(1500);
  Mount(options);
  OpenFilePtr file = Create("a");
  for (uint64_t i = 0; i < 16; ++i) ASSERT_TRUE(Write(file, i << 20, "x").ok());
  for (uint32_t left = 3; left > 0; --left) {
    HoldSyncs(OkStatus(), 1);
    if (left > 1) HoldSyncs(Status(ErrorCode::kUnavailable, "scripted"), left - 1);
  }
  Status synced(ErrorCode::kInternal, "not answered");
  std::thread syncing([&] { synced = mount_->Fsync(file); });
  for (uint32_t left = 3; left > 0; --left) {
    EXPECT_TRUE(cluster_.script().AwaitHeld(left));
    EXPECT_FALSE(Within(std::chrono::milliseconds(700), [] { return false; }));
    cluster_.script().LetGo();
  }
  syncing.join();
  EXPECT_TRUE(synced.ok()) << synced.ToString();
  Close(file);
}

// Decision 0006.
class PowerLossTest : public FlushTest {
 protected:
  // Until the chunkservers have it all; nothing is synced.
  void WriteOut(const OpenFilePtr& file, uint64_t offset, std::string_view data) {
    ASSERT_TRUE(Write(file, offset, data).ok());
    ASSERT_TRUE(mount_->FlushAll(Deadline::After(std::chrono::seconds(20))).ok());
  }
  void LosePower(uint32_t index) { cluster_.LosePower(inode_.value, index); }
};

TEST_F(PowerLossTest, AnFsyncOfWhatMayBeLostIsAnErrorOnceForEachHandle) {
  OpenFilePtr first = Create("a");
  OpenFilePtr second = Open(inode_).file;
  WriteOut(first, 0, "data");
  LosePower(0);
  OpenFilePtr third = Open(inode_).file;
  ExpectCode(mount_->Fsync(first), ErrorCode::kIoError);
  EXPECT_TRUE(mount_->Fsync(first).ok());
  ExpectCode(mount_->Fsync(second), ErrorCode::kIoError);
  ExpectCode(mount_->Flush(third), ErrorCode::kIoError);
  OpenFilePtr later = Open(inode_).file;
  EXPECT_TRUE(mount_->Fsync(later).ok());
  WriteOut(first, 0, "again");
  EXPECT_TRUE(mount_->Fsync(first).ok());
  for (OpenFilePtr* file : {&first, &second, &third, &later}) Close(*file);
}

TEST_F(PowerLossTest, WhatWasSyncedBeforeAndWrittenAfterIsNoError) {
  OpenFilePtr file = Create("a");
  WriteOut(file, 0, "data");
  ASSERT_TRUE(mount_->Fsync(file).ok());
  LosePower(0);
  EXPECT_TRUE(mount_->Fsync(file).ok());
  WriteOut(file, 0, "more");
  cluster_.MoveGroups();  // an epoch that loses nothing
  EXPECT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(Read(file, 0, 4), "more");
  Close(file);
}

TEST_F(PowerLossTest, TheOldestWriteCountsHoweverMuchWasWrittenSince) {
  OpenFilePtr file = Create("a");
  WriteOut(file, 0, "data");
  cluster_.MoveGroups();
  LosePower(0);
  WriteOut(file, 8192, "more");
  cluster_.MoveGroups();
  ExpectCode(mount_->Fsync(file), ErrorCode::kIoError);
  EXPECT_TRUE(mount_->Fsync(file).ok());
  Close(file);
}

TEST_F(PowerLossTest, AWriteCountsForTheEpochInWhichItWasAcknowledged) {
  OpenFilePtr file = Create("a");
  WriteOut(file, 0, "data");
  ASSERT_TRUE(mount_->Fsync(file).ok());
  // The answer is lost, then the power; it is sent again to who serves after that.
  Status unavailable(ErrorCode::kUnavailable, "scripted");
  cluster_.script().Add({v1::CHUNK_WRITE, unavailable, false, true});
  ASSERT_TRUE(Write(file, 0, "more").ok());
  Deadline deadline = Deadline::After(std::chrono::seconds(20));
  Status flushed(ErrorCode::kInternal, "not answered");
  std::thread flushing([&] { flushed = mount_->FlushAll(deadline); });
  EXPECT_TRUE(cluster_.script().AwaitHeld(1));
  LosePower(0);
  cluster_.script().LetGo();
  flushing.join();
  ASSERT_TRUE(flushed.ok()) << flushed.ToString();
  EXPECT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(Read(file, 0, 4), "more");
  Close(file);
}

TEST_F(PowerLossTest, AnFsyncThatIsUnderWayWhenPowerIsLostSaysSo) {
  OpenFilePtr file = Create("a");
  WriteOut(file, 0, "data");
  Status unavailable(ErrorCode::kUnavailable, "scripted");
  cluster_.script().Add({v1::CHUNK_SYNC, unavailable, false, true});
  Status synced;
  std::thread syncing([&] { synced = mount_->Fsync(file); });
  EXPECT_TRUE(cluster_.script().AwaitHeld(1));
  LosePower(0);
  cluster_.script().LetGo();
  syncing.join();
  ExpectCode(synced, ErrorCode::kIoError);
  EXPECT_TRUE(mount_->Fsync(file).ok());
  Close(file);
}

TEST_F(PowerLossTest, ChunksThatLostNothingAreSyncedBesideThoseThatDid) {
  OpenFilePtr file = Create("a");
  WriteOut(file, 0, Pattern(9 << 20));  // in all eight groups
  LosePower(3);
  ExpectCode(mount_->Fsync(file), ErrorCode::kIoError);
  EXPECT_TRUE(cluster_.chunks().AllSynced(inode_.value));
  for (uint32_t index : {0u, 4u}) LosePower(index);
  EXPECT_TRUE(mount_->Fsync(file).ok());
  Close(file);
}

TEST_F(PowerLossTest, AFileThatWasClosedUnsyncedTellsTheNextOneThatSyncsIt) {
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, "data").ok());
  Close(file);
  ASSERT_TRUE(cluster_.script().AwaitCount(v1::METADATA_CLOSE, 1));
  LosePower(0);
  OpenFilePtr again = Open(inode_).file;
  ExpectCode(mount_->Fsync(again), ErrorCode::kIoError);
  EXPECT_TRUE(mount_->Fsync(again).ok());
  Close(again);
}

TEST_F(PowerLossTest, AWriteWithOSyncIsToldToo) {
  OpenFilePtr file = Create("a", O_RDWR | O_SYNC);
  OpenFilePtr other = Open(inode_).file;
  WriteOut(other, 0, "data");
  LosePower(0);
  ExpectCode(Write(file, 8192, "x"), ErrorCode::kIoError);
  EXPECT_TRUE(Write(file, 8192, "x").ok());
  ExpectCode(mount_->Fsync(other), ErrorCode::kIoError);
  Close(file);
  Close(other);
}

// Another mount wrote it: what this one syncs is what is there.
TEST_F(PowerLossTest, AMountThatWroteNothingHasNothingToLose) {
  OpenFilePtr file = Create("a");
  WriteOut(file, 0, "data");
  Close(file);
  LosePower(0);
  Mount(cluster_.Options());
  OpenFilePtr again = Open(inode_).file;
  EXPECT_TRUE(mount_->Fsync(again).ok());
  Close(again);
}

TEST_F(FlushTest, FsyncOfAFileThatTheMountDoesNotRememberSyncsAllOfIt) {
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, Pattern(2 << 20)).ok());
  Close(file);
  Mount(cluster_.Options());
  EXPECT_FALSE(cluster_.chunks().AllSynced(inode_.value));
  OpenFilePtr again = Open(inode_).file;
  ASSERT_TRUE(mount_->Fsync(again).ok());
  EXPECT_TRUE(cluster_.chunks().AllSynced(inode_.value));
  Close(again);
}

}  // namespace
}  // namespace cairn::testing
