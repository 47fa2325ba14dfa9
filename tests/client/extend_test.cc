// Writes past the committed size are announced, so that they go with a mount that dies.
#include "client/extension.h"

#include "tests/client/mount_fixture.h"

namespace cairn::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ExtendTest : public MountTest {
 protected:
  // A file of `bytes` that was closed, so that nobody is about to make it longer.
  InodeId MakeClosedFile(const std::string& bytes) {
    OpenFilePtr file = Create("a");
    EXPECT_TRUE(Write(file, 0, bytes).ok());
    EXPECT_TRUE(mount_->Fsync(file).ok());
    Close(std::move(file));
    EXPECT_TRUE(cluster_.script().AwaitCount(v1::METADATA_CLOSE, 1));
    EXPECT_THAT(Extended(), IsEmpty());
    cluster_.script().ForgetEvents();
    return inode_;
  }
  std::set<uint64_t> Extended() { return cluster_.metadata().Extended(); }
  uint64_t Count(v1::Method method) { return cluster_.script().Count(method); }
  std::vector<v1::Method> Methods() {
    std::vector<v1::Method> methods;
    for (const Event& event : cluster_.script().events()) methods.push_back(event.method);
    return methods;
  }
};

TEST_F(ExtendTest, AnAppendToAnOpenFileIsAnnouncedOnceAndBeforeItsData) {
  OpenFilePtr file = Open(MakeClosedFile("old")).file;
  cluster_.script().ForgetEvents();
  ASSERT_TRUE(Write(file, 3, "first").ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(Methods()[0], v1::METADATA_EXTEND);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(Write(file, 8 + 4096 * i, Pattern(4096)).ok());
    ASSERT_TRUE(mount_->Fsync(file).ok());
  }
  EXPECT_EQ(Count(v1::METADATA_EXTEND), 1u);
  EXPECT_THAT(Extended(), ElementsAre(inode_.value));
  Close(file);
  EXPECT_TRUE(Within(std::chrono::seconds(20), [&] { return Extended().empty(); }));
}

TEST_F(ExtendTest, AWriteInsideTheSizeIsNotAnnounced) {
  OpenFilePtr file = Open(MakeClosedFile(Pattern(8192))).file;
  ASSERT_TRUE(Write(file, 100, "inside").ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(Count(v1::METADATA_EXTEND), 0u);
  Close(file);
}

TEST_F(ExtendTest, TheLastCommitEndsIt) {
  OpenFilePtr file = Create("a");
  cluster_.script().Add({v1::CHUNK_WRITE, OkStatus(), true, true, 1});
  ASSERT_TRUE(Write(file, 0, "data").ok());
  EXPECT_THAT(Extended(), ElementsAre(inode_.value));
  Close(std::move(file));
  ASSERT_TRUE(cluster_.script().AwaitHeld(1));
  // No Close is taken, so only the commit can tell.
  const Status busy(ErrorCode::kBusy, "scripted");
  cluster_.script().Add({v1::METADATA_CLOSE, busy, false, false, 0});
  cluster_.script().LetGo();
  EXPECT_TRUE(Within(std::chrono::seconds(20), [&] { return Extended().empty(); }));
  EXPECT_EQ(SizeAtServer(), 4u);
}

TEST_F(ExtendTest, AFileThatWasMadeAndNeverWrittenIsEndedByItsClose) {
  Close(Create("a"));
  EXPECT_TRUE(Within(std::chrono::seconds(20), [&] { return Extended().empty(); }));
  EXPECT_EQ(Count(v1::METADATA_COMMIT_WRITE), 0u);
}

TEST_F(ExtendTest, AFileMadeForReadingIsNotHeldForExtended) {
  OpenFilePtr made = Create("a", O_RDONLY);
  EXPECT_THAT(Extended(), IsEmpty());
  OpenFilePtr file = Open(inode_).file;
  ASSERT_TRUE(Write(file, 0, "data").ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(Count(v1::METADATA_EXTEND), 1u);
  Close(file);
  mount_->Release(made);
}

TEST_F(ExtendTest, UnmountEndsWhatIsCommitted) {
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, Pattern(100'000)).ok());
  mount_->Release(std::move(file));
  mount_.reset();
  const v1::InodeRecord inode = cluster_.metadata().Inode(inode_.value);
  EXPECT_EQ(inode.attributes().size(), 100'000u);
  EXPECT_EQ(inode.file().cuts_size(), 0);
}

TEST_F(ExtendTest, AFileMadeHereIsAnnouncedAgainOnlyFarBehindItsBeginning) {
  OpenFilePtr file = Create("a");
  const uint64_t far = uint64_t{client::kChunksOfNewFile} * kMinChunkSize;
  ASSERT_TRUE(Write(file, far - 10, "0123456789").ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(Count(v1::METADATA_EXTEND), 0u);
  ASSERT_TRUE(Write(file, far, "x").ok());
  ASSERT_TRUE(Write(file, 2 * far, "y").ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(Count(v1::METADATA_EXTEND), 2u);
  EXPECT_EQ(Read(file, far - 1, 2), "9x");
  Close(file);
}

// A hole in the announcement would let a dead mount's bytes live on.
TEST_F(ExtendTest, NoDataGoesOutBeforeTheAnnouncementIsAnswered) {
  OpenFilePtr file = Open(MakeClosedFile("old")).file;
  cluster_.script().Add({v1::METADATA_EXTEND, OkStatus(), true, true, 1});
  cluster_.script().ForgetEvents();
  ASSERT_TRUE(Write(file, 3, Pattern(5 << 20)).ok());
  ASSERT_TRUE(mount_->Flush(file).ok());
  ASSERT_TRUE(cluster_.script().AwaitHeld(1));
  EXPECT_EQ(Count(v1::CHUNK_WRITE), 0u);
  cluster_.script().LetGo();
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(SizeAtServer(), (5u << 20) + 3);
  EXPECT_EQ(Count(v1::METADATA_EXTEND), 1u);
  Close(file);
}

TEST_F(ExtendTest, DataThatCannotBeAnnouncedIsAnErrorOfTheFile) {
  OpenFilePtr file = Open(MakeClosedFile("old")).file;
  cluster_.script().Add(
      {v1::METADATA_EXTEND, Status(ErrorCode::kNoSpace, "scripted"), false, false, 1});
  ASSERT_TRUE(Write(file, 3, "new").ok());
  ExpectCode(mount_->Fsync(file), ErrorCode::kNoSpace);
  ASSERT_TRUE(Write(file, 3, "new").ok());
  EXPECT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(Read(file, 0, 10), "oldnew");
  Close(file);
}

class RuleL5 : public ExtendTest {};

TEST_F(RuleL5, BytesOfADeadMountDoNotComeBackWhenTheFileIsMadeLonger) {
  const std::string old(10, 'o');
  OpenFilePtr file = Open(MakeClosedFile(old)).file;
  cluster_.script().Add(
      {v1::METADATA_COMMIT_WRITE, Status(ErrorCode::kUnavailable, "scripted"), false, false, 0});
  const std::string lost = Pattern(100'000);
  ASSERT_TRUE(Write(file, 10, lost).ok());
  ASSERT_TRUE(mount_->Flush(file).ok());
  ASSERT_TRUE(Within(std::chrono::seconds(20), [&] {
    return cluster_.chunks().Bytes(inode_.value, 0).substr(10, lost.size()) == lost;
  }));
  cluster_.metadata().DropSessions();
  cluster_.script().Clear();

  MountOptions options = cluster_.Options();
  auto other = MountedFileSystem::Mount(options);
  ASSERT_TRUE(other.has_value());
  std::swap(mount_, *other);  // the fixture speaks of this one from here on
  OpenFilePtr mine = Open(inode_).file;
  ASSERT_TRUE(Write(mine, 50'000, "end").ok());
  ASSERT_TRUE(mount_->Fsync(mine).ok());
  EXPECT_EQ(Read(mine, 0, 60'000), old + std::string(49'990, '\0') + "end");
  Close(mine);
  std::swap(mount_, *other);
  mount_->Release(file);
}

TEST_F(RuleL5, AFrameThatFailedKeepsTheFileAnnouncedUntilTheSessionEnds) {
  OpenFilePtr file = Create("a");
  // Stored, and told otherwise.
  cluster_.script().Add({v1::CHUNK_WRITE, Status(ErrorCode::kNoSpace, "scripted"), true, false, 1});
  ASSERT_TRUE(Write(file, 0, "data").ok());
  ExpectCode(mount_->Fsync(file), ErrorCode::kNoSpace);
  Close(std::move(file));
  ASSERT_TRUE(cluster_.script().AwaitCount(v1::METADATA_CLOSE, 1));
  EXPECT_THAT(Extended(), ElementsAre(inode_.value));
  mount_.reset();
  EXPECT_EQ(cluster_.metadata().Inode(inode_.value).file().cuts_size(), 1);
}

TEST_F(RuleL5, AFrameThatFailedIsNotForgottenWhenTheFileIsOpenedAgain) {
  OpenFilePtr file = Create("a");
  cluster_.script().Add({v1::CHUNK_WRITE, Status(ErrorCode::kNoSpace, "scripted"), true, false, 1});
  ASSERT_TRUE(Write(file, 0, "data").ok());
  ExpectCode(mount_->Fsync(file), ErrorCode::kNoSpace);
  Close(std::move(file));
  ASSERT_TRUE(cluster_.script().AwaitCount(v1::METADATA_CLOSE, 1));
  file = Open(inode_).file;
  ASSERT_TRUE(Write(file, 0, "x").ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  Close(std::move(file));
  ASSERT_TRUE(cluster_.script().AwaitCount(v1::METADATA_CLOSE, 2));
  EXPECT_THAT(Extended(), ElementsAre(inode_.value));
  mount_.reset();
  EXPECT_EQ(cluster_.metadata().Inode(inode_.value).file().cuts_size(), 1);
}

// An Extend that overtook the commit would be ended by it.
TEST_F(RuleL5, AReopenedFileIsAnnouncedAfterTheLastCommitIsAnswered) {
  OpenFilePtr file = Create("a");
  cluster_.script().Add({v1::METADATA_COMMIT_WRITE, OkStatus(), true, true, 1});
  cluster_.script().Add({v1::CHUNK_WRITE, OkStatus(), true, true, 1});
  ASSERT_TRUE(Write(file, 0, "data").ok());
  Close(std::move(file));
  ASSERT_TRUE(cluster_.script().AwaitHeld(1));
  cluster_.script().LetGo();  // the write; with no handle left the commit is the last
  ASSERT_TRUE(cluster_.script().AwaitHeld(1));
  ASSERT_THAT(Extended(), IsEmpty());
  file = Open(inode_).file;
  cluster_.script().ForgetEvents();
  ASSERT_TRUE(Write(file, 4, "more").ok());
  ASSERT_TRUE(mount_->Flush(file).ok());
  EXPECT_FALSE(Within(std::chrono::milliseconds(100),
                      [&] { return Count(v1::METADATA_EXTEND) + Count(v1::CHUNK_WRITE) > 0; }));
  cluster_.script().LetGo();
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_THAT(Extended(), ElementsAre(inode_.value));
  EXPECT_EQ(Read(file, 0, 10), "datamore");
  Close(file);
}

// The write lay inside the file until another mount cut it.
TEST_F(RuleL5, AWriteThatACutLeftPastTheSizeIsAnnouncedBeforeItGoesOn) {
  OpenFilePtr file = Open(MakeClosedFile(Pattern(8192))).file;
  auto other = MountedFileSystem::Mount(cluster_.Options());
  ASSERT_TRUE(other.has_value());
  auto opened = (*other)->Open(who_, inode_, O_RDWR | O_TRUNC);
  ASSERT_TRUE(opened.has_value());
  std::string text = "new";
  std::span<const char> bytes(text);
  ASSERT_TRUE((*other)->Write(who_.uid, opened->file, 0, std::as_bytes(bytes), 0).ok());
  ASSERT_TRUE((*other)->Fsync(opened->file).ok());
  const uint64_t announced = Count(v1::METADATA_EXTEND);
  ASSERT_TRUE(Write(file, 100, "x").ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(Count(v1::METADATA_EXTEND), announced + 1);
  EXPECT_EQ(Read(file, 0, 200), "new" + std::string(97, '\0') + "x");
  (*other)->Release(std::move(opened->file));
  Close(file);
}

}  // namespace
}  // namespace cairn::testing
