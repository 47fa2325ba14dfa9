// When the metaserver is told of what was written, and what becomes of it when it is not.
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "tests/client/mount_fixture.h"

namespace cairn::testing {
namespace {

constexpr uint32_t kUser = 1000;

class CommitTest : public MountTest {
 protected:
  void MountFor(std::chrono::milliseconds timeout) {
    MountOptions options = cluster_.Options();
    options.timeout = timeout;
    Mount(options);
  }
  void TakeNoCommits() {
    Status away(ErrorCode::kUnavailable, "scripted");
    cluster_.script().Add({v1::METADATA_COMMIT_WRITE, away, false, false, 0});
  }
  void SetUserId() {
    SetAttributes change;
    change.mode = S_ISUID | 0755;
    ASSERT_TRUE(mount_->SetAttributesOf(who_, inode_, change).has_value());
  }
  bool HasUserId() {
    return (cluster_.metadata().Inode(inode_.value).attributes().mode() & S_ISUID) != 0;
  }
};

// At every moment more than half of what a file may buffer has not been answered.
TEST_F(CommitTest, AWriterFasterThanTheServersIsCommittedAndSyncedWhileItWrites) {
  MountOptions options = cluster_.Options();
  options.write_behind_file_bytes = 32u << 20;
  Mount(options);
  OpenFilePtr file = Create("a");
  OpenFilePtr beside = Open(inode_).file;
  cluster_.script().Add({v1::CHUNK_WRITE, OkStatus(), true, true, 0});
  std::string data = Pattern(1 << 20);
  uint64_t next = 0;
  auto write = [&](int times) {
    for (; times > 0; --times) ASSERT_TRUE(Write(file, (next++ % 64) << 20, data).ok());
  };
  write(20);
  std::atomic<bool> answered{false};
  std::thread syncing([&] {
    EXPECT_TRUE(mount_->Fsync(beside).ok());
    answered = true;
  });
  bool while_writing = Within(std::chrono::seconds(20), [&] {
    EXPECT_TRUE(cluster_.script().AwaitHeld(8));  // as many as are under way at once
    cluster_.script().LetGo();
    write(8);
    return answered.load();
  });
  EXPECT_TRUE(while_writing);
  EXPECT_GE(cluster_.script().Count(v1::METADATA_COMMIT_WRITE), 1u);
  cluster_.script().Clear();
  std::atomic<bool> flushed{false};
  std::thread rest([&] {
    EXPECT_TRUE(mount_->Fsync(file).ok());
    flushed = true;
  });
  EXPECT_TRUE(Within(std::chrono::seconds(20), [&] {
    cluster_.script().LetGo();
    return answered && flushed;
  }));
  syncing.join();
  rest.join();
  Close(file);
  Close(beside);
}

TEST_F(CommitTest, WhatNobodyTookIsToldOnceAndCommittedLater) {
  MountFor(std::chrono::seconds(1));
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, "data").ok());
  TakeNoCommits();
  EXPECT_FALSE(mount_->Fsync(file).ok());
  EXPECT_FALSE(mount_->Fsync(file).ok());
  EXPECT_TRUE(Write(file, 3 << 20, "more").ok());
  EXPECT_TRUE(mount_->Flush(file).ok());
  cluster_.script().Clear();
  EXPECT_TRUE(Within(std::chrono::seconds(20), [&] { return SizeAtServer() == (3u << 20) + 4; }));
  EXPECT_TRUE(mount_->Fsync(file).ok());
  Close(file);
  Mount(cluster_.Options());
  OpenFilePtr again = Open(inode_).file;
  EXPECT_EQ(Read(again, 0, 4), "data");
  EXPECT_EQ(Read(again, 3 << 20, 4), "more");
  Close(again);
}

TEST_F(CommitTest, UnmountEndsThoughNobodyTakesTheCommit) {
  MountFor(std::chrono::milliseconds(300));
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, "data").ok());
  TakeNoCommits();
  mount_->Release(std::move(file));
  Deadline patience = Deadline::After(std::chrono::seconds(10));
  mount_.reset();
  EXPECT_FALSE(patience.Passed());
}

TEST_F(CommitTest, ARefusedWriteTakesNoSetIdBitsAway) {
  OpenFilePtr file = Create("a");
  SetUserId();
  ExpectCode(WriteWith(0, file, uint64_t{kMinChunkSize} << 32, "x", kUser),
             ErrorCode::kFileTooBig);
  ASSERT_TRUE(Write(file, 0, "data").ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_TRUE(HasUserId());
  Close(file);
}

TEST_F(CommitTest, ACommitThatIsTriedAgainStillTakesTheSetIdBitsAway) {
  MountFor(std::chrono::seconds(1));
  OpenFilePtr file = Create("a");
  SetUserId();
  TakeNoCommits();
  EXPECT_FALSE(WriteWith(0, file, 0, "data", kUser).ok());
  EXPECT_TRUE(HasUserId());
  cluster_.script().Clear();
  EXPECT_TRUE(Within(std::chrono::seconds(20), [&] { return SizeAtServer() == 4; }));
  EXPECT_FALSE(HasUserId());
  mount_->Release(file);
}

}  // namespace
}  // namespace cairn::testing
