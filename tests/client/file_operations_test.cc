// What one write asks for, and who hears of a failure.
#include "tests/client/mount_fixture.h"

namespace cairn::testing {
namespace {

class FileOperationsTest : public MountTest {
 protected:
  // A file whose bytes were lost after its last handle was closed.
  void LoseAFile(const std::string& name) {
    Status full(ErrorCode::kNoSpace, "scripted");
    cluster_.script().ForgetEvents();
    cluster_.script().Add({v1::CHUNK_WRITE, full, true, true, 1});
    OpenFilePtr file = Create(name);
    ASSERT_TRUE(Write(file, 0, "data").ok());
    Close(file);
    ASSERT_TRUE(cluster_.script().AwaitHeld(1));
    cluster_.script().LetGo();
    ASSERT_TRUE(cluster_.script().AwaitCount(v1::METADATA_CLOSE, 1));
  }
};

TEST_F(FileOperationsTest, AWriteSaysItselfWhetherItAppends) {
  OpenFilePtr appending = Create("a", O_RDWR | O_APPEND);
  ASSERT_TRUE(Write(appending, 0, "one").ok());
  ASSERT_TRUE(WriteWith(0, appending, 1, "N").ok());  // a page of mmap(2), or after F_SETFL
  EXPECT_EQ(Read(appending, 0, 10), "oNe");
  OpenFilePtr plain = Open(inode_).file;
  ASSERT_TRUE(WriteWith(O_APPEND, plain, 0, "two").ok());
  EXPECT_EQ(Read(plain, 0, 10), "oNetwo");
  Close(appending);
  Close(plain);
}

TEST_F(FileOperationsTest, AWriteSaysItselfWhetherItIsSynced) {
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(WriteWith(O_DSYNC, file, 0, "data").ok());
  EXPECT_EQ(SizeAtServer(), 4u);
  EXPECT_TRUE(cluster_.chunks().AllSynced(inode_.value));
  Close(file);
}

TEST_F(FileOperationsTest, AFailureThatNobodyWasToldIsToldToWhoeverOpensNext) {
  LoseAFile("a");
  MountedFileSystem::Opened reader = Open(inode_, O_RDONLY);
  Close(reader.file);  // checks nothing, and leaves it to others
  OpenFilePtr first = Open(inode_).file;
  ExpectCode(mount_->Fsync(first), ErrorCode::kNoSpace);
  EXPECT_TRUE(mount_->Fsync(first).ok());
  OpenFilePtr second = Open(inode_).file;
  EXPECT_TRUE(mount_->Fsync(second).ok());
  Close(first);
  Close(second);
}

TEST_F(FileOperationsTest, RenameDoesNotReplaceAFileByOneThatWasLost) {
  OpenFilePtr target = Create("target");
  InodeId kept = inode_;
  LoseAFile("source");
  ExpectCode(mount_->Rename(who_, kRootInode, "source", kRootInode, "target", 0),
             ErrorCode::kNoSpace);
  auto found = mount_->Lookup(who_, kRootInode, "target");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->attributes.st_ino, kept.value);
  Close(target);
}

TEST_F(FileOperationsTest, RenameDoesNotReplaceAFileByOneThatIsLostMeanwhile) {
  OpenFilePtr target = Create("target");
  InodeId kept = inode_;
  OpenFilePtr source = Create("source");
  cluster_.script().Add({v1::CHUNK_WRITE, Status(ErrorCode::kNoSpace, "scripted")});
  ASSERT_TRUE(Write(source, 0, "data").ok());
  ExpectCode(mount_->Rename(who_, kRootInode, "source", kRootInode, "target", 0),
             ErrorCode::kNoSpace);
  auto found = mount_->Lookup(who_, kRootInode, "target");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->attributes.st_ino, kept.value);
  ExpectCode(mount_->Flush(source), ErrorCode::kNoSpace);
  Close(source);
  Close(target);
}

TEST_F(FileOperationsTest, RenameFailsWhenItCannotLearnWhatItReplaces) {
  MountOptions options = cluster_.Options();
  options.timeout = std::chrono::milliseconds(300);
  Mount(options);
  OpenFilePtr target = Create("target");
  OpenFilePtr source = Create("source");
  ASSERT_TRUE(Write(source, 0, "data").ok());
  cluster_.script().Add(
      {v1::METADATA_LOOKUP, Status(ErrorCode::kUnavailable, "scripted"), false, false, 0});
  EXPECT_FALSE(mount_->Rename(who_, kRootInode, "source", kRootInode, "target", 0).ok());
  EXPECT_EQ(cluster_.script().Count(v1::METADATA_RENAME), 0u);
  cluster_.script().Clear();
  mount_->Release(source);
  mount_->Release(target);
}

}  // namespace
}  // namespace cairn::testing
