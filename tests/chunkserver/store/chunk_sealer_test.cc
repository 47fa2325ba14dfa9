#include "chunkserver/store/chunk_sealer.h"

#include "tests/chunkserver/store/store_fixture.h"

namespace cairn {
namespace {

using testing::Contains;
using testing::Field;

class RuleC5 : public StoreTest {
 protected:
  void Record() {
    watcher_ = [this](const DiskOperation& operation, bool after) {
      if (after) seen_.push_back(operation);
    };
  }
  size_t Count(const std::string& name) {
    size_t count = 0;
    for (const DiskOperation& operation : seen_) count += operation.name == name ? 1 : 0;
    return count;
  }
  std::vector<DiskOperation> seen_;
};

TEST_F(RuleC5, SealsOnlyWhatWasIdleAndIsOnDisk) {
  Record();
  ASSERT_OK(Fill(0, 10, 'a'));
  clock_.Advance(timing::kSealIdle - std::chrono::seconds(1));
  EXPECT_EQ(*store_->SealIdle(), 0u);
  EXPECT_EQ(Count("sync"), 0u);
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_EQ(*store_->SealIdle(), 1u);
  EXPECT_TRUE(IsSealed());
  EXPECT_EQ(Count("sync"), 1u);
  EXPECT_EQ(Count("syncdir"), 1u) << "the first sync of a new file also syncs its directory";
}

TEST_F(RuleC5, AWriteDuringTheSyncPreventsTheSeal) {
  ASSERT_OK(Fill(0, 10, 'a'));
  bool written = false;
  watcher_ = [&](const DiskOperation& operation, bool after) {
    if (operation.name != "sync" || !after || written) return;
    written = true;
    EXPECT_OK(Fill(0, 10, 'b'));
  };
  EXPECT_EQ(*SealAll(), 0u);
  EXPECT_TRUE(written);
  EXPECT_FALSE(IsSealed());
}

// The sync would open the doomed file, and the next write would go where no name leads.
TEST_F(RuleC5, AChunkSealedAndRemovedDuringTheSyncOfOthersLeavesNoFileOpen) {
  const ChunkId first{InodeId(1), 0};
  ASSERT_OK(Fill(0, 10, 'a', first));
  ASSERT_OK(Fill(0, 10, 'a'));
  bool removed = false;
  watcher_ = [&](const DiskOperation& operation, bool after) {
    if (operation.name != "sync" || after || removed) return;
    removed = true;
    EXPECT_EQ(*SealAll(), 2u);
    EXPECT_OK(store_->Drop(kChunk));
  };
  ASSERT_OK(store_->Sync(std::vector{first, kChunk}));
  EXPECT_TRUE(removed);
  ASSERT_OK(SealAll());  // removes the file
  EXPECT_FALSE(PosixFiles().Exists(PathOf(kChunk)));
  ASSERT_OK(Fill(0, 10, 'b'));
  ASSERT_OK(store_->Sync(std::vector{kChunk}));
  KillAndOpen();
  EXPECT_EQ(ReadText(0, 10), "bbbbbbbbbb");
}

TEST_F(RuleC5, ASyncBetweenRowAndErasureOfAnInstallIsNotEnoughToSeal) {
  ASSERT_OK(Fill(0, 2 * 4096, 'a'));
  BlockInstall install;
  install.info.id = kChunk;
  install.info.version = {Epoch(3), 9};
  install.info.generation = 1;
  install.group = kGroup;
  install.chunk_size = kMinChunkSize;
  install.absent_blocks = {3};  // never there: nothing to sync for
  ASSERT_OK(Fill(5 * 4096, 4096, 'a'));
  std::vector<ChunkId> others;
  for (uint64_t inode = 1; inode <= 20; ++inode) {
    others.push_back({InodeId(inode), 0});
    ASSERT_OK(Fill(0, 10, 'a', others.back()));
  }
  others.push_back(kChunk);
  watcher_ = [&](const DiskOperation& operation, bool after) {
    if (operation.name != "punch" || after) return;
    EXPECT_OK(store_->Sync(others));  // so many that no lock is taken
  };
  ASSERT_OK(store_->InstallBlocks(install));
  size_t syncs = 0;
  watcher_ = [&](const DiskOperation& operation, bool after) {
    syncs += after && operation.name == "sync" && operation.path == PathOf(kChunk) ? 1 : 0;
  };
  ASSERT_OK(SealAll());
  EXPECT_TRUE(IsSealed());
  EXPECT_EQ(syncs, 1u);
}

TEST_F(RuleC5, ACutDuringTheSyncPreventsTheSealAlthoughTheVersionIsTheSame) {
  ASSERT_OK(Fill(0, 10000, 'a'));
  bool cut = false;
  watcher_ = [&](const DiskOperation& operation, bool after) {
    if (operation.name != "sync" || !after || cut) return;
    cut = true;
    Cut(5000);
    EXPECT_OK(store_->Remove(kChunk, file_, /*whole=*/false));
  };
  EXPECT_EQ(*SealAll(), 0u);
  EXPECT_FALSE(IsSealed());
}

TEST_F(RuleC5, AReadGoesOnDuringTheSync) {
  ASSERT_OK(Fill(0, 10, 'a'));
  watcher_ = [&](const DiskOperation& operation, bool after) {
    if (operation.name == "sync" && !after) {
      EXPECT_EQ(ReadText(0, 10), "aaaaaaaaaa");
    }
  };
  const ChunkId ids[] = {kChunk};
  EXPECT_OK(store_->Sync(ids));
}

TEST_F(RuleC5, TheFirstOverwriteOfASealedChunkUnsealsItBeforeTheDataChanges) {
  ASSERT_OK(Fill(0, 10, 'a'));
  ASSERT_OK(SealAll());
  bool sealed_while_written = true;
  watcher_ = [&](const DiskOperation& operation, bool after) {
    if (operation.name == "write" && !after) sealed_while_written = IsSealed();
  };
  ASSERT_OK(Fill(0, 10, 'b'));
  EXPECT_FALSE(sealed_while_written);
  EXPECT_FALSE(IsSealed());
}

TEST_F(RuleC5, AFailedSyncEndsTheUseOfTheDiskAndSealsNothing) {
  ASSERT_OK(Fill(0, 10, 'a'));
  plan_.Set(
      {{.operation = FaultOperation::kSync, .kind = FaultKind::kIoError, .where = "chunks/"}});
  EXPECT_EQ(CodeOf(SealAll()), ErrorCode::kDiskFailed);
  plan_.Clear();
  EXPECT_EQ(ReadText(0, 10), "disk failed");
  KillAndOpen();
  EXPECT_FALSE(IsSealed());
}

TEST_F(RuleC5, ManyIdleChunksAreSyncedAtOnce) {
  for (uint32_t i = 0; i < 100; ++i) ASSERT_OK(Fill(0, 10, 'a', ChunkId{InodeId(1), i}));
  Record();
  EXPECT_EQ(*SealAll(), 100u);
  EXPECT_EQ(Count("syncfs"), 1u);
  EXPECT_EQ(Count("sync"), 0u);
}

class ChunkSealerTest : public RuleC5 {};

TEST_F(ChunkSealerTest, SyncWritesEachChunkOnceUntilItChanges) {
  const ChunkId ids[] = {kChunk, ChunkId{InodeId(4), 4}};
  ASSERT_OK(Fill(0, 10, 'a'));
  Record();
  EXPECT_OK(store_->Sync(ids));
  EXPECT_OK(store_->Sync(ids));
  EXPECT_EQ(Count("sync"), 1u);
  ASSERT_OK(Fill(0, 10, 'b'));
  EXPECT_OK(store_->Sync(ids));
  EXPECT_EQ(Count("sync"), 2u);
  EXPECT_EQ(Count("syncdir"), 1u);
}

TEST_F(ChunkSealerTest, SyncAfterRemovalAndReturnSyncsTheNewDirectoryEntry) {
  const ChunkId ids[] = {kChunk};
  ASSERT_OK(Fill(0, 10, 'a'));
  EXPECT_OK(store_->Sync(ids));
  ASSERT_OK(store_->Drop(kChunk));
  ASSERT_OK(Fill(0, 10, 'b'));
  Record();
  EXPECT_OK(store_->Sync(ids));
  EXPECT_THAT(seen_, Contains(Field(&DiskOperation::name, "syncdir")));
}

}  // namespace
}  // namespace cairn
