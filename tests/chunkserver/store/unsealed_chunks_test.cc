#include "chunkserver/store/unsealed_chunks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cairn {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr ChunkId kChunk{InodeId(5), 1};
BootTime At(int seconds) {
  return {std::chrono::seconds(seconds)};
}

constexpr PgId kGroup{3};

TEST(UnsealedChunks, ASyncCoversOnlyChangesMadeBeforeItBegan) {
  UnsealedChunks chunks;
  chunks.NoteChange(kChunk, kGroup, At(1));
  auto syncing = chunks.Find(kChunk);
  chunks.NoteChange(kChunk, kGroup, At(2));
  chunks.NoteSynced(*syncing);
  EXPECT_FALSE(chunks.Find(kChunk)->data_synced);
  EXPECT_TRUE(chunks.Find(kChunk)->entry_synced);
  chunks.NoteSynced(*chunks.Find(kChunk));
  EXPECT_TRUE(chunks.Find(kChunk)->data_synced);
}

TEST(UnsealedChunks, ASyncOfARemovedChunkSaysNothingAboutItsSuccessor) {
  UnsealedChunks chunks;
  chunks.NoteChange(kChunk, kGroup, At(1));
  auto syncing = chunks.Find(kChunk);
  chunks.Forget(kChunk);
  chunks.NoteChange(kChunk, kGroup, At(2));
  chunks.NoteSynced(*syncing);
  EXPECT_FALSE(chunks.Find(kChunk)->data_synced);
  EXPECT_FALSE(chunks.Find(kChunk)->entry_synced);
}

TEST(UnsealedChunks, AreIdleFromTheirLastChangeOn) {
  UnsealedChunks chunks;
  chunks.NoteChange(kChunk, kGroup, At(1));
  chunks.NoteChange(kChunk, kGroup, At(5));
  EXPECT_THAT(chunks.IdleSince(At(4)), IsEmpty());
  EXPECT_THAT(chunks.IdleSince(At(5)), SizeIs(1));
  EXPECT_THAT(chunks.All(), SizeIs(1));
}

// After an unclean stop a row may be there without its file, and be synced before the file is made
// anew from another member's copy.
TEST(UnsealedChunks, TheEntryOfAFileMadeAnewIsNotOnDisk) {
  UnsealedChunks chunks;
  chunks.NoteChange(kChunk, kGroup, At(1));
  const auto under_way = *chunks.Find(kChunk);
  chunks.NoteSynced(under_way);
  ASSERT_TRUE(chunks.Find(kChunk)->entry_synced);
  chunks.NoteNewFile(kChunk);
  EXPECT_FALSE(chunks.Find(kChunk)->entry_synced);
  chunks.NoteSynced(under_way);  // a sync that began before
  EXPECT_FALSE(chunks.Find(kChunk)->entry_synced);
  chunks.NoteSynced(*chunks.Find(kChunk));
  EXPECT_TRUE(chunks.Find(kChunk)->entry_synced);
}

TEST(UnsealedChunks, AreListedByGroup) {
  UnsealedChunks chunks;
  constexpr PgId kOther{4};
  const ChunkId second{InodeId(2), 0};
  chunks.NoteChange(second, kGroup, At(1));
  chunks.NoteChange(kChunk, kGroup, At(1));
  EXPECT_EQ(chunks.OfGroup(kGroup),
            (std::vector<ChunkId>{std::min(kChunk, second), std::max(kChunk, second)}));
  chunks.NoteChange(kChunk, kOther, At(2));
  EXPECT_EQ(chunks.OfGroup(kGroup), std::vector<ChunkId>{second});
  chunks.Forget(second);
  EXPECT_TRUE(chunks.OfGroup(kGroup).empty());
  EXPECT_EQ(chunks.OfGroup(kOther), std::vector<ChunkId>{kChunk});
}

}  // namespace
}  // namespace cairn
