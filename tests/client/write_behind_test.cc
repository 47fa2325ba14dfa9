// Writes in memory and their way out.
#include "client/write_behind.h"

#include <atomic>
#include <functional>
#include <thread>

#include "tests/client/mount_fixture.h"

namespace cairn::testing {
namespace {

class WriteBehindTest : public MountTest {
 protected:
  void HoldWrites(uint32_t times) {
    cluster_.script().Add({v1::CHUNK_WRITE, OkStatus(), true, true, times});
  }
  void FailWrites(ErrorCode code, uint32_t times = 0) {
    cluster_.script().Add({v1::CHUNK_WRITE, Status(code, "scripted"), false, false, times});
  }
};

TEST_F(WriteBehindTest, CreateWriteCloseCostsTwoRoundTripsAndACommitAfterwards) {
  Close(Create("first"));  // fetches the session and whatever else comes once
  OpenFilePtr warm = Create("warm");
  ASSERT_TRUE(Write(warm, 0, "x").ok());
  ASSERT_TRUE(mount_->Fsync(warm).ok());
  cluster_.script().ForgetEvents();
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, Pattern(4096)).ok());
  Close(file);
  ASSERT_TRUE(cluster_.script().AwaitCount(v1::METADATA_COMMIT_WRITE, 1));
  std::vector<v1::Method> methods;
  for (const Event& event : cluster_.script().events()) {
    if (event.method != v1::METADATA_CLOSE) methods.push_back(event.method);
  }
  EXPECT_THAT(methods, ::testing::ElementsAre(v1::METADATA_CREATE, v1::CHUNK_WRITE,
                                              v1::METADATA_COMMIT_WRITE));
  Close(warm);
}

TEST_F(WriteBehindTest, CloseReturnsBeforeTheDataIsAcknowledged) {
  HoldWrites(1);
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, "data").ok());
  Close(file);  // the write is held: this returns all the same
  ASSERT_TRUE(cluster_.script().AwaitHeld(1));
  EXPECT_EQ(cluster_.script().Count(v1::METADATA_COMMIT_WRITE), 0u);
  auto seen = mount_->GetAttributes(inode_);
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(seen->attributes.st_size, 4);
  cluster_.script().LetGo();
  EXPECT_TRUE(cluster_.script().AwaitCount(v1::METADATA_COMMIT_WRITE, 1));
}

TEST_F(WriteBehindTest, SyncCloseWaitsForTheServers) {
  MountOptions options = cluster_.Options();
  options.sync_close = true;
  Mount(options);
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, "data").ok());
  ASSERT_TRUE(mount_->Flush(file).ok());
  EXPECT_EQ(SizeAtServer(), 4u);
  mount_->Release(file);
}

TEST_F(WriteBehindTest, AnOpenFileIsFlushedByItsAge) {
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, "data").ok());
  Deadline start = Deadline::After(std::chrono::seconds(20));
  ASSERT_TRUE(cluster_.script().AwaitCount(v1::METADATA_COMMIT_WRITE, 1));
  // The promise is 1 s; a busy test machine gets some more.
  EXPECT_GT(start.Left(), std::chrono::seconds(15));
  EXPECT_EQ(SizeAtServer(), 4u);
  Close(file);
}

TEST_F(WriteBehindTest, ASteadyWriterIsCommittedWhileItWrites) {
  OpenFilePtr file = Create("a");
  uint64_t offset = 0;
  EXPECT_TRUE(Within(std::chrono::seconds(20), [&] {
    EXPECT_TRUE(Write(file, offset, Pattern(64 << 10)).ok());
    offset += 64 << 10;
    offset %= 16 << 20;
    return cluster_.script().Count(v1::METADATA_COMMIT_WRITE) > 2;
  }));
  Close(file);
}

class RuleL10 : public WriteBehindTest {};

TEST_F(RuleL10, NothingIsCommittedBeforeItsDataIsAcknowledged) {
  HoldWrites(1);
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, Pattern(3 << 20)).ok());
  ASSERT_TRUE(mount_->Flush(file).ok());
  ASSERT_TRUE(cluster_.script().AwaitHeld(1));
  ASSERT_TRUE(cluster_.script().AwaitCount(v1::CHUNK_WRITE, 3));
  EXPECT_EQ(SizeAtServer(), 0u);
  cluster_.script().LetGo();
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(SizeAtServer(), 3u << 20);
  Close(file);
}

// Three writes: the first is held, the second still rests in memory, the third is acknowledged.
TEST_F(RuleL10, TheSizeDoesNotShowALaterWriteWithoutAnEarlierOne) {
  HoldWrites(1);
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 3 << 20, "first").ok());
  ASSERT_TRUE(mount_->Flush(file).ok());
  ASSERT_TRUE(cluster_.script().AwaitHeld(1));
  ASSERT_TRUE(Write(file, 1 << 20, "second").ok());
  ASSERT_TRUE(Write(file, 2 << 20, Pattern(1 << 20)).ok());
  // Bytes that are asked for at a server have been acknowledged.
  ASSERT_TRUE(Within(std::chrono::seconds(20), [&] {
    Read(file, 2 << 20, 1);
    return cluster_.script().Count(v1::CHUNK_READ) > 0;
  }));
  HoldWrites(1);  // the second
  cluster_.script().LetGo();
  ASSERT_TRUE(cluster_.script().AwaitHeld(1));
  ASSERT_TRUE(cluster_.script().AwaitCount(v1::METADATA_COMMIT_WRITE, 1));
  EXPECT_LE(SizeAtServer(), 1u << 20);
  cluster_.script().LetGo();
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(SizeAtServer(), (3u << 20) + 5);
  Close(file);
}

TEST_F(WriteBehindTest, FsyncSyncsWhatWasWrittenAndNothingTwice) {
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, Pattern(5 << 20)).ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_TRUE(cluster_.chunks().AllSynced(inode_.value));
  EXPECT_EQ(SizeAtServer(), 5u << 20);
  uint64_t syncs = cluster_.script().Count(v1::CHUNK_SYNC);
  EXPECT_LE(syncs, 3u);  // one per primary
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(cluster_.script().Count(v1::CHUNK_SYNC), syncs);
  Close(file);
}

TEST_F(WriteBehindTest, FsyncThroughALaterHandleSyncsWhatAnEarlierOneWrote) {
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, "data").ok());
  Close(file);
  ASSERT_TRUE(cluster_.script().AwaitCount(v1::METADATA_CLOSE, 1));
  OpenFilePtr again = Open(inode_).file;
  ASSERT_TRUE(mount_->Fsync(again).ok());
  EXPECT_TRUE(cluster_.chunks().AllSynced(inode_.value));
  Close(again);
}

TEST_F(WriteBehindTest, AFailedFlushIsToldOnceToEachHandle) {
  OpenFilePtr first = Create("a");
  OpenFilePtr second = Open(inode_).file;
  FailWrites(ErrorCode::kNoSpace, 1);
  ASSERT_TRUE(Write(first, 0, "data").ok());
  ExpectCode(mount_->Fsync(first), ErrorCode::kNoSpace);
  EXPECT_TRUE(mount_->Fsync(first).ok());
  ExpectCode(mount_->Flush(second), ErrorCode::kNoSpace);
  EXPECT_TRUE(mount_->Flush(second).ok());
  OpenFilePtr third = Open(inode_).file;
  EXPECT_TRUE(mount_->Flush(third).ok());
  EXPECT_EQ(SizeAtServer(), 0u);
  for (OpenFilePtr& file : {std::ref(first), std::ref(second), std::ref(third)}) Close(file);
}

TEST_F(WriteBehindTest, ServersThatStayAwayEndInAnErrorWithinTheTimeout) {
  MountOptions options = cluster_.Options();
  options.timeout = std::chrono::milliseconds(500);
  Mount(options);
  OpenFilePtr file = Create("a");
  FailWrites(ErrorCode::kUnavailable);
  ASSERT_TRUE(Write(file, 0, Pattern(20 << 20)).ok());
  Deadline patience = Deadline::After(std::chrono::seconds(10));
  Status status = mount_->Fsync(file);
  EXPECT_FALSE(status.ok());
  EXPECT_FALSE(patience.Passed());
  cluster_.script().Clear();
  EXPECT_TRUE(Write(file, 0, "again").ok());
  EXPECT_TRUE(mount_->Fsync(file).ok());
  Close(file);
}

TEST_F(WriteBehindTest, MemoryStaysBoundedWhileServersAreSlow) {
  MountOptions options = cluster_.Options();
  options.write_behind_bytes = 4u << 20;
  options.write_behind_file_bytes = 3u << 20;
  Mount(options);
  OpenFilePtr file = Create("a");
  HoldWrites(0);
  std::atomic<uint64_t> written{0};
  std::thread writer([&] {
    for (uint64_t i = 0; i < 64; ++i) {
      ASSERT_TRUE(Write(file, i << 18, Pattern(1 << 18)).ok());
      written = (i + 1) << 18;
    }
  });
  ASSERT_TRUE(cluster_.script().AwaitHeld(1));
  EXPECT_FALSE(Within(std::chrono::milliseconds(200), [&] { return written > (3u << 20); }));
  cluster_.script().Clear();
  EXPECT_TRUE(Within(std::chrono::seconds(20), [&] {
    cluster_.script().LetGo();
    return written == 16u << 20;
  }));
  writer.join();
  cluster_.script().LetGo();
  ASSERT_TRUE(mount_->Fsync(file).ok());
  Close(file);
}

TEST_F(WriteBehindTest, WritesSurviveAChangeOfEveryPrimary) {
  OpenFilePtr file = Create("a");
  std::string first = Pattern(3 << 20, 1), second = Pattern(3 << 20, 2);
  ASSERT_TRUE(Write(file, 0, first).ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  cluster_.MoveGroups();
  ASSERT_TRUE(Write(file, 0, second).ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  cluster_.MoveGroups();
  EXPECT_EQ(Read(file, 0, 4 << 20), second);
  Close(file);
}

TEST_F(WriteBehindTest, ARetriedChunkWriteCarriesTheSameSequence) {
  OpenFilePtr file = Create("a");
  Status lost(ErrorCode::kUnavailable, "the answer is lost");
  cluster_.script().Add({v1::CHUNK_WRITE, lost, true, false, 2});
  ASSERT_TRUE(Write(file, 0, "data").ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(cluster_.script().Count(v1::CHUNK_WRITE), 3u);
  EXPECT_EQ(cluster_.chunks().writes_run(), 1u);
  Close(file);
}

TEST_F(WriteBehindTest, AnotherMountsCutIsLearnedOfAndObeyed) {
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, Pattern(2 << 20)).ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  cluster_.metadata().TruncateByOther(inode_.value, 10);
  OpenFilePtr other = Open(inode_).file;
  ASSERT_TRUE(Write(other, 20, "x").ok());
  ASSERT_TRUE(mount_->Fsync(other).ok());
  EXPECT_EQ(Read(other, 10, 100), std::string(10, '\0') + "x");
  Close(file);
  Close(other);
}

// RuleC9: a chunk stamped by a later cut refuses the write; the mount learns of the cut and writes
// under it, and nothing from before the cut comes back.
class RuleC9 : public WriteBehindTest {};

TEST_F(RuleC9, AHandleFromBeforeTheCutWritesUnderTheNewGeneration) {
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, Pattern(100)).ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  auto other = MountedFileSystem::Mount(cluster_.Options());
  ASSERT_TRUE(other.has_value());
  auto opened = (*other)->Open(who_, inode_, O_RDWR | O_TRUNC);
  ASSERT_TRUE(opened.has_value());
  std::string text = "new";
  std::span<const char> bytes(text);
  ASSERT_TRUE((*other)->Write(who_.uid, opened->file, 0, std::as_bytes(bytes), 0).ok());
  ASSERT_TRUE((*other)->Fsync(opened->file).ok());
  ASSERT_TRUE(Write(file, 10, "x").ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(Read(file, 0, 200), "new" + std::string(7, '\0') + "x");
  (*other)->Release(std::move(opened->file));
  Close(file);
}

TEST_F(WriteBehindTest, AppendsFindTheEndBuffersIncluded) {
  OpenFilePtr file = Create("a", O_RDWR | O_APPEND);
  ASSERT_TRUE(Write(file, 0, "one").ok());
  ASSERT_TRUE(Write(file, 0, "two").ok());
  EXPECT_EQ(Read(file, 0, 10), "onetwo");
  Close(file);
}

TEST_F(WriteBehindTest, OSyncIsOnDiskWhenWriteReturns) {
  OpenFilePtr file = Create("a", O_RDWR | O_SYNC);
  ASSERT_TRUE(Write(file, 0, "data").ok());
  EXPECT_EQ(SizeAtServer(), 4u);
  EXPECT_TRUE(cluster_.chunks().AllSynced(inode_.value));
  Close(file);
}

TEST_F(WriteBehindTest, AByteBeyondTheLastChunkIsTooFar) {
  OpenFilePtr file = Create("a");
  ExpectCode(Write(file, uint64_t{kMinChunkSize} << 32, "x"), ErrorCode::kFileTooBig);
  ExpectCode(Write(file, UINT64_MAX - 1, "xyz"), ErrorCode::kFileTooBig);
  Close(file);
}

TEST_F(WriteBehindTest, UnmountFlushesEverything) {
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, Pattern(100'000)).ok());
  mount_->Release(std::move(file));
  mount_.reset();
  EXPECT_EQ(SizeAtServer(), 100'000u);
  EXPECT_EQ(cluster_.script().Count(v1::METADATA_CLOSE_SESSION), 1u);
}

}  // namespace
}  // namespace cairn::testing
