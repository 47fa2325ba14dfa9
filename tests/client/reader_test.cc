// Reads: holes, readahead, checksums, bytes of one's own.
#include "client/reader.h"

#include <thread>

#include "tests/client/mount_fixture.h"

namespace cairn::testing {
namespace {

class ReaderTest : public MountTest {
 protected:
  // A file on the servers, opened by a mount that remembers nothing of it.
  OpenFilePtr Stored(const std::string& bytes) {
    OpenFilePtr file = Create("stored");
    EXPECT_TRUE(Write(file, 0, bytes).ok());
    EXPECT_TRUE(mount_->Fsync(file).ok());
    Close(std::move(file));
    Mount(cluster_.Options());
    cluster_.script().ForgetEvents();
    return Open(inode_).file;
  }
};

TEST_F(ReaderTest, HolesCostNoRoundTrip) {
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 5 << 20, "end").ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(Read(file, 1 << 20, 1 << 20), std::string(1 << 20, '\0'));
  EXPECT_EQ(cluster_.script().Count(v1::CHUNK_READ), 0u);
  Close(file);
}

class RuleC10 : public ReaderTest {};

TEST_F(RuleC10, AMissingChunkIsAnErrorNotAHole) {
  OpenFilePtr file = Stored(Pattern(8192));
  cluster_.script().Add(
      {v1::CHUNK_READ, Status(ErrorCode::kChunkMissing, "gone"), false, false, 0});
  auto read = mount_->Read(file, 0, 4096);
  ASSERT_FALSE(read.has_value());
  ExpectCode(read.error(), ErrorCode::kIoError);
  Close(file);
}

TEST_F(ReaderTest, ServesBufferedBytesWithoutARoundTrip) {
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, "hello").ok());
  EXPECT_EQ(Read(file, 1, 3), "ell");
  EXPECT_EQ(cluster_.script().Count(v1::CHUNK_READ), 0u);
  Close(file);
}

TEST_F(ReaderTest, LaysBufferedBytesOverStoredOnes) {
  std::string bytes = Pattern(3 << 20);
  OpenFilePtr file = Stored(bytes);
  ASSERT_TRUE(Write(file, 1'000'000, "own").ok());
  bytes.replace(1'000'000, 3, "own");
  EXPECT_EQ(Read(file, 0, 3 << 20), bytes);
  Close(file);
}

TEST_F(ReaderTest, StopsAtTheEnd) {
  OpenFilePtr file = Stored("short");
  EXPECT_EQ(Read(file, 3, 100), "rt");
  EXPECT_EQ(Read(file, 5, 100), "");
  Close(file);
}

TEST_F(ReaderTest, FindsWhatAnotherMountAppended) {
  OpenFilePtr file = Stored("mine");
  auto other = MountedFileSystem::Mount(cluster_.Options());
  ASSERT_TRUE(other.has_value());
  auto opened = (*other)->Open(who_, inode_, O_WRONLY);
  ASSERT_TRUE(opened.has_value());
  std::string text = " and yours";
  std::span<const char> bytes(text);
  ASSERT_TRUE((*other)->Write(who_.uid, opened->file, 4, std::as_bytes(bytes), 0).ok());
  ASSERT_TRUE((*other)->Fsync(opened->file).ok());
  EXPECT_EQ(Read(file, 4, 100), " and yours");
  (*other)->Release(std::move(opened->file));
  Close(file);
}

TEST_F(ReaderTest, ReadsAheadSideBySideAndAsksForNothingTwice) {
  std::string bytes = Pattern(12 << 20);
  OpenFilePtr file = Stored(bytes);
  std::string seen;
  for (size_t offset = 0; offset < bytes.size(); offset += 128 << 10) {
    seen += Read(file, offset, 128 << 10);
  }
  EXPECT_TRUE(seen == bytes);
  EXPECT_LE(cluster_.script().Count(v1::CHUNK_READ), 12u + 4u);
  Close(file);
}

TEST_F(ReaderTest, SeveralReadsAheadAreUnderWayAtOnce) {
  OpenFilePtr file = Stored(Pattern(12 << 20));
  for (uint64_t i = 0; i < 3; ++i) Read(file, i << 17, 1 << 17);
  cluster_.script().Add({v1::CHUNK_READ, OkStatus(), true, true, 0});
  std::thread reader([&] {
    for (uint64_t i = 3; i < 24; ++i) Read(file, i << 17, 1 << 17);
  });
  EXPECT_TRUE(cluster_.script().AwaitHeld(2));
  cluster_.script().Clear();
  cluster_.script().LetGo();
  reader.join();
  Close(file);
}

TEST_F(ReaderTest, TwoSequencesInOneFileLeaveEachOtherWhatWasReadAhead) {
  std::string bytes = Pattern(24 << 20);
  OpenFilePtr behind = Stored(bytes);
  OpenFilePtr front = Open(inode_).file;
  constexpr size_t kStep = 128 << 10, kHalf = 12 << 20;
  for (size_t offset = 0; offset < kHalf; offset += kStep) {
    EXPECT_TRUE(Read(front, kHalf + offset, kStep) == bytes.substr(kHalf + offset, kStep));
    EXPECT_TRUE(Read(behind, offset, kStep) == bytes.substr(offset, kStep));
  }
  EXPECT_LE(cluster_.script().Count(v1::CHUNK_READ), 2 * 24u);
  Close(front);
  Close(behind);
}

TEST_F(ReaderTest, WhatWasReadAheadDoesNotOutliveAWrite) {
  std::string bytes = Pattern(6 << 20);
  OpenFilePtr file = Stored(bytes);
  for (uint64_t i = 0; i < 8; ++i) Read(file, i << 17, 1 << 17);
  std::string fresh = Pattern(4 << 20, 9);
  ASSERT_TRUE(Write(file, 1 << 20, fresh).ok());
  bytes.replace(1 << 20, fresh.size(), fresh);
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_TRUE(Read(file, 0, 6 << 20) == bytes);
  Close(file);
}

TEST_F(ReaderTest, ADamagedBlockIsReadTwiceAndThenAnError) {
  OpenFilePtr file = Stored(Pattern(8192));
  cluster_.chunks().FlipByte(inode_.value, 0, 5000);
  auto damaged = mount_->Read(file, 4096, 4096);
  ASSERT_FALSE(damaged.has_value());
  ExpectCode(damaged.error(), ErrorCode::kIoError);
  EXPECT_EQ(cluster_.script().Count(v1::CHUNK_READ), 2u);
  EXPECT_EQ(Read(file, 0, 4096), Pattern(8192).substr(0, 4096));
  Close(file);
}

}  // namespace
}  // namespace cairn::testing
