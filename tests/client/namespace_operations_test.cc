// Names and attributes through a mount.
#include <linux/fs.h>
#include <sys/stat.h>

#include "tests/client/mount_fixture.h"

namespace cairn::testing {
namespace {

class NamespaceTest : public MountTest {
 protected:
  SetAttributes Size(uint64_t size) {
    SetAttributes change;
    change.size = size;
    return change;
  }
};

TEST_F(NamespaceTest, RefusesImpossibleNamesWithoutAsking) {
  cluster_.script().ForgetEvents();
  ExpectCode(mount_->Lookup(who_, kRootInode, std::string(256, 'n')).error(),
             ErrorCode::kNameTooLong);
  for (std::string name : {std::string(""), std::string("."), std::string(".."),
                           std::string("a/b"), std::string("a\0b", 3)}) {
    ExpectCode(mount_->MakeDirectory(who_, kRootInode, name, 0755).error(),
               ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(cluster_.script().events().size(), 0u);
  EXPECT_TRUE(mount_->MakeDirectory(who_, kRootInode, std::string(255, 'n'), 0755).has_value());
}

TEST_F(NamespaceTest, AReadOnlyMountChangesNothing) {
  OpenFilePtr file = Create("a");
  InodeId inode = inode_;
  Close(file);
  MountOptions options = cluster_.Options();
  options.read_only = true;
  Mount(options);
  ExpectCode(mount_->MakeDirectory(who_, kRootInode, "d", 0755).error(), ErrorCode::kReadOnly);
  ExpectCode(mount_->Unlink(who_, kRootInode, "a"), ErrorCode::kReadOnly);
  ExpectCode(mount_->Open(who_, inode, O_RDWR).error(), ErrorCode::kReadOnly);
  ExpectCode(mount_->SetAttributesOf(who_, inode, Size(0)).error(), ErrorCode::kReadOnly);
  EXPECT_TRUE(mount_->Open(who_, inode, O_RDONLY).has_value());
}

TEST_F(NamespaceTest, ListsBufferedSizesToo) {
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, Pattern(5000)).ok());
  auto items = mount_->ReadDirectory(who_, kRootInode, 0, 100, true);
  ASSERT_TRUE(items.has_value());
  ASSERT_EQ(items->size(), 1u);
  EXPECT_EQ(items->at(0).name, "a");
  EXPECT_EQ(items->at(0).attributes.st_size, 5000);
  EXPECT_GT(items->at(0).attributes.st_blocks, 0);
  auto rest = mount_->ReadDirectory(who_, kRootInode, items->at(0).cookie, 100, true);
  EXPECT_THAT(*rest, ::testing::IsEmpty());
  Close(file);
}

TEST_F(NamespaceTest, TruncateOrdersItselfBetweenWrites) {
  OpenFilePtr file = Create("a");
  std::string bytes = Pattern(2'500'000);
  ASSERT_TRUE(Write(file, 0, bytes).ok());
  auto cut = mount_->SetAttributesOf(who_, inode_, Size(1'500'001));
  ASSERT_TRUE(cut.has_value()) << cut.error().ToString();
  EXPECT_EQ(cut->attributes.st_size, 1'500'001);
  ASSERT_TRUE(mount_->SetAttributesOf(who_, inode_, Size(2'000'000)).has_value());
  bytes = bytes.substr(0, 1'500'001) + std::string(499'999, '\0');
  EXPECT_TRUE(Read(file, 0, 3'000'000) == bytes);
  ASSERT_TRUE(Write(file, 1'900'000, "more").ok());
  bytes.replace(1'900'000, 4, "more");
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_TRUE(Read(file, 0, 3'000'000) == bytes);
  Close(file);
}

TEST_F(NamespaceTest, OpenWithTruncateForgetsWhatWasBuffered) {
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, "old bytes").ok());
  MountedFileSystem::Opened again = Open(inode_, O_RDWR | O_TRUNC);
  EXPECT_EQ(again.entry.attributes.st_size, 0);
  ASSERT_TRUE(Write(again.file, 2, "x").ok());
  ASSERT_TRUE(mount_->Fsync(again.file).ok());
  EXPECT_EQ(Read(again.file, 0, 10), std::string("\0\0x", 3));
  Close(file);
  Close(again.file);
}

TEST_F(NamespaceTest, AnExplicitTimeOutlivesTheCommitOfEarlierWrites) {
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, "data").ok());
  SetAttributes change;
  change.modify_time = WallTime{1234, 5};
  auto changed = mount_->SetAttributesOf(who_, inode_, change);
  ASSERT_TRUE(changed.has_value());
  EXPECT_EQ(changed->attributes.st_mtim.tv_sec, 1234);
  EXPECT_EQ(changed->attributes.st_size, 4);
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(SizeAtServer(), 4u);
  EXPECT_EQ(cluster_.metadata().Inode(inode_.value).attributes().modify_time().seconds(), 1234);
  ASSERT_TRUE(Write(file, 4, "more").ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_GT(cluster_.metadata().Inode(inode_.value).attributes().modify_time().seconds(), 1234);
  Close(file);
}

TEST_F(NamespaceTest, SetuidOutlivesTheCommitOfEarlierWrites) {
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, "data").ok());
  SetAttributes change;
  change.mode = S_ISUID | 0755;
  ASSERT_TRUE(mount_->SetAttributesOf(who_, inode_, change).has_value());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_NE(cluster_.metadata().Inode(inode_.value).attributes().mode() & S_ISUID, 0u);
  Close(file);
}

TEST_F(NamespaceTest, AWriteByAUserTakesTheSetIdBitsAwayBeforeItReturnsAndRootsDoesNot) {
  SetAttributes change;
  change.mode = S_ISUID | 0755;
  for (uint32_t uid : {0u, 1000u}) {
    OpenFilePtr file = Create("by-" + std::to_string(uid));
    ASSERT_TRUE(mount_->SetAttributesOf(who_, inode_, change).has_value());
    ASSERT_TRUE(WriteWith(0, file, 0, "data", uid).ok());
    if (uid == 0) {
      ASSERT_TRUE(mount_->Fsync(file).ok());
    }
    uint32_t mode = cluster_.metadata().Inode(inode_.value).attributes().mode();
    EXPECT_EQ((mode & S_ISUID) != 0, uid == 0);
    Close(file);
  }
}

TEST_F(NamespaceTest, RenameOverAFilePublishesTheNewDataFirst) {
  Close(Create("target"));
  OpenFilePtr file = Create("source");
  ASSERT_TRUE(Write(file, 0, "data").ok());
  ASSERT_TRUE(mount_->Rename(who_, kRootInode, "source", kRootInode, "target", 0).ok());
  std::vector<v1::Method> order;
  for (const Event& event : cluster_.script().events()) {
    bool tells = event.method == v1::CHUNK_WRITE || event.method == v1::METADATA_COMMIT_WRITE ||
                 event.method == v1::METADATA_RENAME;
    if (tells) order.push_back(event.method);
  }
  EXPECT_THAT(order, ::testing::ElementsAre(v1::CHUNK_WRITE, v1::METADATA_COMMIT_WRITE,
                                            v1::METADATA_RENAME));
  Close(file);
}

TEST_F(NamespaceTest, AnUnlinkedFileLivesWhileItIsOpen) {
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, "data").ok());
  ASSERT_TRUE(mount_->Unlink(who_, kRootInode, "a").ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  EXPECT_EQ(Read(file, 0, 10), "data");
  Close(file);
}

TEST_F(NamespaceTest, KernelPagesStayRightUntilSomebodyElseChangesTheFile) {
  OpenFilePtr file = Create("a");
  ASSERT_TRUE(Write(file, 0, "data").ok());
  ASSERT_TRUE(mount_->Fsync(file).ok());
  Close(file);
  MountedFileSystem::Opened again = Open(inode_);
  EXPECT_TRUE(again.entry.keep_cache);
  Close(again.file);
  cluster_.metadata().TruncateByOther(inode_.value, 2);
  again = Open(inode_);
  EXPECT_FALSE(again.entry.keep_cache);
  EXPECT_EQ(Read(again.file, 0, 10), "da");
  Close(again.file);
}

}  // namespace
}  // namespace cairn::testing
