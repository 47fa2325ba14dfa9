#include "chunkserver/store/chunk_store.h"

#include <fcntl.h>
#include <leveldb/write_batch.h>

#include "common/durable_leveldb.h"
#include "tests/chunkserver/store/store_fixture.h"

namespace cairn {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ChunkStoreTest : public StoreTest {};

TEST_F(ChunkStoreTest, GivesBackWhatWasWritten) {
  ASSERT_OK(Fill(100, 10000, 'a'));
  EXPECT_EQ(ReadText(100, 10000), std::string(10000, 'a'));
  EXPECT_EQ(ReadText(0, 100), std::string(100, '\0'));
  EXPECT_EQ(ReadText(10100, 50000), std::string(50000, '\0'));
}

TEST_F(ChunkStoreTest, AnUnknownChunkIsAbsentNotZeros) {
  EXPECT_EQ(ReadText(0, 4096), "absent");
  EXPECT_EQ(CodeOf(store_->FetchBlocks(kChunk, 0, 1)), ErrorCode::kChunkMissing);
}

TEST_F(ChunkStoreTest, ReadsCarryTheCrcOfEveryBlock) {
  ASSERT_OK(Fill(0, 5000, 'a'));
  auto read = Read(0, 3 * kBlockSize);
  ASSERT_OK(read);
  EXPECT_EQ(read->crcs, PieceCrcs(0, read->data.bytes()));
}

TEST_F(ChunkStoreTest, AWriteWithAWrongCrcChangesNothing) {
  ASSERT_OK(Fill(0, 8192, 'a'));
  std::vector<std::byte> data = Filled(8192, 'b');
  std::vector<uint32_t> crcs = PieceCrcs(0, data);
  crcs[1] ^= 1;
  ChunkWrite write{.id = kChunk,
                   .group = kGroup,
                   .file = file_,
                   .version = {Epoch(1), 99},
                   .offset = 0,
                   .data = data,
                   .crcs = crcs,
                   .session = {},
                   .sequence = 0};
  EXPECT_EQ(store_->Write(write).code(), ErrorCode::kCorruption);
  EXPECT_EQ(ReadText(0, 8192), std::string(8192, 'a'));
}

TEST_F(ChunkStoreTest, RefusesArgumentsOutsideTheirType) {
  EXPECT_EQ(Fill(kMinChunkSize - 10, 11, 'a').code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(Fill(0, 0, 'a').code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(Fill(0, 1, 'a', ChunkId{InodeId(0), 0}).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(Read(1, kBlockSize)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(Read(kMinChunkSize, kBlockSize)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(Read(0xfffff000u, kBlockSize)), ErrorCode::kInvalidArgument);
  for (uint32_t size : {0u, 4096u, kMinChunkSize + 1, 2 * kMaxChunkSize}) {
    file_.chunk_size = size;
    EXPECT_EQ(Fill(0, 1, 'a').code(), ErrorCode::kInvalidArgument) << size;
  }
  file_.chunk_size = kMinChunkSize;
  file_.cuts = {{1, 100}, {1, 200}};
  EXPECT_EQ(Fill(0, 1, 'a').code(), ErrorCode::kInvalidArgument);
  file_.cuts.assign(65, {});
  EXPECT_EQ(Fill(0, 1, 'a').code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(ReadText(0, 1), "invalid argument");
}

TEST_F(ChunkStoreTest, AChunkKeepsItsSizeAndItsGroup) {
  ASSERT_OK(Fill(0, 10, 'a'));
  file_.chunk_size = 2 * kMinChunkSize;
  EXPECT_EQ(Fill(0, 10, 'b').code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(Read(0, kBlockSize)), ErrorCode::kInvalidArgument);
}

TEST_F(ChunkStoreTest, TellsVersionStampAndLastRequest) {
  ASSERT_OK(Fill(0, 10, 'a'));
  ASSERT_OK(Fill(0, 10, 'b'));
  auto info = store_->Info(kChunk);
  ASSERT_OK(info);
  ASSERT_TRUE(*info);
  EXPECT_EQ((*info)->version, (ChunkVersion{Epoch(1), 2}));
  EXPECT_EQ((*info)->generation, 1u);
  EXPECT_EQ((*info)->last_session, SessionId(5));
  EXPECT_EQ((*info)->last_sequence, 2u);
  EXPECT_FALSE((*info)->sealed);
}

TEST_F(ChunkStoreTest, EqualContentsHaveEqualDigestsSealedOrNot) {
  const ChunkId other{InodeId(2002), 3};
  ASSERT_OK(Fill(0, 300000, 'a'));
  ASSERT_OK(Fill(0, 150000, 'a', other));
  ASSERT_OK(SealAll());
  ASSERT_OK(Fill(150000, 150000, 'a', other));
  auto one = store_->Info(kChunk), two = store_->Info(other);
  EXPECT_TRUE((*one)->sealed);
  EXPECT_FALSE((*two)->sealed);
  EXPECT_EQ((*one)->digest, (*two)->digest);
  ASSERT_OK(Fill(0, 1, 'b', other));
  EXPECT_NE((*one)->digest, (*store_->Info(other))->digest);
}

TEST_F(ChunkStoreTest, SurvivesACleanRestart) {
  ASSERT_OK(Fill(0, 70000, 'a'));
  CloseAndOpen();
  EXPECT_TRUE(IsSealed());
  EXPECT_EQ(ReadText(0, 70000), std::string(70000, 'a'));
  EXPECT_THAT(store_->Suspects(kGroup), IsEmpty());
}

// A start after a clean stop does not look for files without rows, so none may come back.
TEST_F(ChunkStoreTest, CloseBringsTheRemovalOfFilesToDisk) {
  ASSERT_OK(Fill(0, 4096, 'a'));
  std::vector<std::string> operations;
  watcher_ = [&](const DiskOperation& operation, bool after) {
    if (!after) operations.push_back(operation.name);
  };
  ASSERT_OK(store_->Drop(kChunk));
  ASSERT_OK(store_->Close());
  EXPECT_EQ(operations.front(), "remove");
  EXPECT_EQ(operations.back(), "syncfs");
}

TEST_F(ChunkStoreTest, AClosedStoreRefusesCalls) {
  ASSERT_OK(store_->Close());
  EXPECT_EQ(Fill(0, 1, 'a').code(), ErrorCode::kUnavailable);
  EXPECT_EQ(ReadText(0, 1), "unavailable");
}

TEST_F(ChunkStoreTest, SurvivesAKill) {
  ASSERT_OK(Fill(0, 70000, 'a'));
  KillAndOpen();
  EXPECT_FALSE(IsSealed());
  EXPECT_EQ(ReadText(0, 70000), std::string(70000, 'a'));
  EXPECT_THAT(store_->Suspects(kGroup), IsEmpty());
  EXPECT_EQ(store_->Counters().checksum_errors, 0u);
}

TEST_F(ChunkStoreTest, AFlippedByteIsFoundAndCountedOnce) {
  ASSERT_OK(Fill(0, 8192, 'a'));
  FlipByte(5000);
  EXPECT_EQ(ReadText(0, 8192), "corruption");
  EXPECT_EQ(ReadText(0, 8192), "corruption");
  EXPECT_EQ(ReadText(0, 4096), std::string(4096, 'a'));
  EXPECT_EQ(CodeOf(store_->FetchBlocks(kChunk, 1, 1)), ErrorCode::kCorruption);
  EXPECT_EQ(Fill(4096, 10, 'b').code(), ErrorCode::kCorruption) << "a merge would hide the damage";
  EXPECT_EQ(store_->Counters().checksum_errors, 1u);
  ASSERT_OK(Fill(4096, 4096, 'b'));
  EXPECT_EQ(ReadText(4096, 4096), std::string(4096, 'b'));
}

TEST_F(ChunkStoreTest, ListsAGroupInOrderPageByPage) {
  constexpr uint32_t kChunks = 10000;
  for (uint32_t i = 0; i < kChunks; ++i) {
    ASSERT_OK(Fill(0, 1, 'a', ChunkId{InodeId(1 + i / 4), i % 4}));
  }
  std::vector<ChunkInfo> all;
  for (std::optional<ChunkId> after;;) {
    auto page = store_->List(kGroup, after, 700);
    ASSERT_OK(page);
    if (page->empty()) break;
    all.insert(all.end(), page->begin(), page->end());
    after = all.back().id;
  }
  ASSERT_EQ(all.size(), kChunks);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end(),
                             [](const auto& a, const auto& b) { return a.id < b.id; }));
  EXPECT_TRUE((*store_->List(PgId(8), {}, 10)).empty());
}

TEST_F(ChunkStoreTest, KeepsFewerFilesOpenThanItHasChunks) {
  store_.reset();
  auto store = ChunkStore::Open({.directory = directory_,
                                 .files = files_.get(),
                                 .clock = &clock_,
                                 .clean_stop = false,
                                 .unclean_boot = false,
                                 .max_open_files = 32});
  ASSERT_OK(store);
  store_ = std::move(*store);
  for (uint32_t i = 0; i < 500; ++i) ASSERT_OK(Fill(0, 10, 'a', ChunkId{InodeId(1), i}));
  size_t open_files = 0;
  for (int descriptor = 0; descriptor < 2000; ++descriptor) {
    open_files += fcntl(descriptor, F_GETFD) >= 0 ? 1 : 0;
  }
  EXPECT_LT(open_files, 100u);
  for (uint32_t i = 0; i < 500; ++i) ASSERT_EQ(ReadText(0, 10, {InodeId(1), i}), "aaaaaaaaaa");
}

TEST_F(ChunkStoreTest, DropForgetsEverything) {
  ASSERT_OK(Fill(0, 10, 'a'));
  ASSERT_OK(store_->Drop(kChunk));
  EXPECT_EQ(ReadText(0, 10), "absent");
  EXPECT_FALSE(PosixFiles().Exists(PathOf(kChunk)));
  EXPECT_TRUE((*store_->List(kGroup, {}, 10)).empty());
  KillAndOpen();
  EXPECT_EQ(ReadText(0, 10), "absent");
}

TEST_F(ChunkStoreTest, AnIndexRowThatDoesNotParseEndsTheUseOfTheDisk) {
  ASSERT_OK(Fill(0, 4096, 'a'));
  ASSERT_OK(Fill(0, 4096, 'b', ChunkId{InodeId(5), 0}));
  ASSERT_OK(store_->Close());
  store_.reset();
  {
    auto database = DurableLevelDb::Open(directory_ + "/index", {});
    ASSERT_OK(database);
    leveldb::WriteBatch batch;
    batch.Put(CrcKey(kChunk, 0), "nonsense");
    ASSERT_OK((*database)->Write(&batch, true));
  }
  Open(/*clean_stop=*/true);
  const auto blocks = store_->Blocks(kChunk);
  ASSERT_EQ(CodeOf(blocks), ErrorCode::kDiskFailed);
  EXPECT_THAT(blocks.error().message(), testing::HasSubstr("index"));
  EXPECT_EQ(CodeOf(store_->List(kGroup, {}, 10)), ErrorCode::kDiskFailed);
  EXPECT_EQ(ReadText(0, 1, ChunkId{InodeId(5), 0}), "disk failed");
  EXPECT_THAT(disk_failures_, testing::SizeIs(1));
}

// A power cut may bring the seal back; then the bytes must be there too.
TEST_F(ChunkStoreTest, TheFileOfASealedChunkOutlivesItsRowsUntilTheyAreOnDisk) {
  ASSERT_OK(Fill(0, 10, 'a'));
  ASSERT_OK(SealAll());
  ASSERT_OK(store_->Drop(kChunk));
  EXPECT_EQ(ReadText(0, 10), "absent");
  EXPECT_TRUE(PosixFiles().Exists(PathOf(kChunk)));
  ASSERT_OK(store_->SealIdle());
  EXPECT_FALSE(PosixFiles().Exists(PathOf(kChunk)));
}

TEST_F(ChunkStoreTest, AChunkThatComesBackShowsNothingOfTheRemovedOne) {
  ASSERT_OK(Fill(0, 8192, 'a'));
  ASSERT_OK(SealAll());
  ASSERT_OK(store_->Drop(kChunk));
  ASSERT_OK(Fill(10, 5, 'b'));
  ASSERT_OK(store_->SealIdle());
  EXPECT_EQ(ReadText(0, 8192), std::string(10, '\0') + "bbbbb" + std::string(8192 - 15, '\0'));
  KillAndOpen();
  EXPECT_EQ(ReadText(10, 5), "bbbbb");
}

}  // namespace
}  // namespace cairn
