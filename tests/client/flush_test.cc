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
  Status broken(ErrorCode::kIoError, "scripted");
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
  ExpectCode(first_synced, ErrorCode::kIoError);
  ExpectCode(second_synced, ErrorCode::kIoError);
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
