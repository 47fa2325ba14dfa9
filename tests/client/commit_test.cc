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

TEST_F(CommitTest, AWriterFasterThanTheServersIsCommittedAndSyncedWhileItWrites) {
  MountOptions options = cluster_.Options();
  options.write_behind_file_bytes = 4u << 20;
  Mount(options);
  OpenFilePtr file = Create("a");
  OpenFilePtr beside = Open(inode_).file;
  std::string data = Pattern(1 << 20);
  Deadline patience = Deadline::After(std::chrono::seconds(20));
  std::atomic<bool> enough{false};
  std::thread writer([&] {
    for (uint64_t i = 0; !enough && !patience.Passed(); ++i) {
      ASSERT_TRUE(Write(file, (i % 32) << 20, data).ok());
    }
  });
  EXPECT_TRUE(Within(std::chrono::seconds(20), [&] {
    return cluster_.script().Count(v1::METADATA_COMMIT_WRITE) > 2;
  }));
  EXPECT_TRUE(mount_->Fsync(beside).ok());
  EXPECT_FALSE(patience.Passed());
  enough = true;
  writer.join();
  Close(file);
  Close(beside);
}

TEST_F(CommitTest, WhatNobodyTookIsToldOnceAndCommittedLater) {
  MountFor(std::chrono::milliseconds(300));
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
  MountFor(std::chrono::milliseconds(300));
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
