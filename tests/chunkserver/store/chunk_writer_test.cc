#include "chunkserver/store/chunk_writer.h"

#include "tests/chunkserver/store/store_fixture.h"

namespace cairn {
namespace {

class ChunkWriterTest : public StoreTest {
 protected:
  FaultRule FailWrites(FaultKind kind) {
    return {.operation = FaultOperation::kWrite, .kind = kind, .where = "chunks/"};
  }
  BlockInstall Install(uint32_t first, std::span<const std::byte> data,
                       std::span<const uint32_t> crcs) {
    BlockInstall install;
    install.info = {.id = kChunk,
                    .version = {Epoch(3), 9},
                    .generation = 4,
                    .digest = 0,
                    .last_session = SessionId(6),
                    .last_sequence = 77,
                    .sealed = false};
    install.group = kGroup;
    install.chunk_size = kMinChunkSize;
    install.first_block = first;
    install.data = data;
    install.crcs = crcs;
    return install;
  }
};

// One write to the file, wherever the bytes lie, as long as the blocks are alike.
TEST_F(ChunkWriterTest, AnAlignedOrAppendedWriteIsOneFileOperation) {
  size_t writes = 0;
  watcher_ = [&](const DiskOperation& operation, bool after) {
    writes += operation.name == "write" && after ? 1 : 0;
  };
  ASSERT_OK(Fill(0, 512 * 1024, 'a'));
  EXPECT_EQ(writes, 1u);
  ASSERT_OK(Fill(0, 512 * 1024, 'b'));
  EXPECT_EQ(writes, 2u);
  ASSERT_OK(Fill(512 * 1024, 1000, 'c'));
  ASSERT_OK(Fill(513 * 1024 - 24, 1000, 'c'));
  EXPECT_EQ(writes, 4u);
}

TEST_F(ChunkWriterTest, AFullDiskChangesNothingAReaderCanSee) {
  ASSERT_OK(Fill(0, 6000, 'a'));
  FaultRule full = FailWrites(FaultKind::kNoSpace);
  full.times = 2;
  plan_.Set({full});
  EXPECT_EQ(Fill(0, 20000, 'b').code(), ErrorCode::kNoSpace);
  EXPECT_EQ(Fill(0, 10, 'b', ChunkId{InodeId(5), 0}).code(), ErrorCode::kNoSpace);
  plan_.Clear();
  EXPECT_EQ(ReadText(0, 8192), std::string(6000, 'a') + std::string(2192, '\0'));
  EXPECT_EQ(ReadText(0, 10, ChunkId{InodeId(5), 0}), "absent");
  EXPECT_FALSE(PosixFiles().Exists(PathOf(ChunkId{InodeId(5), 0})));
  ASSERT_OK(Fill(0, 20000, 'b'));
  EXPECT_EQ(ReadText(0, 20000), std::string(20000, 'b'));
}

// What needs room is written first, so a write that runs out of it has not touched the old blocks.
TEST_F(ChunkWriterTest, AFullDiskLeavesOldBlocksAloneEvenWhenHalfOfTheRoomWasThere) {
  ASSERT_OK(Fill(0, 8192, 'a'));
  bool full = false;
  watcher_ = [&](const DiskOperation& operation, bool after) {
    if (operation.name != "write" || !after || full) return;
    full = true;  // the first extent is in place, the next one meets a full disk
    plan_.Set({FailWrites(FaultKind::kNoSpace)});
  };
  EXPECT_EQ(Fill(0, 16384, 'b').code(), ErrorCode::kNoSpace);
  plan_.Clear();
  watcher_ = nullptr;
  EXPECT_EQ(ReadText(0, 16384), std::string(8192, 'a') + std::string(8192, '\0'));
  // The junk under the absent blocks does not shine through a partial write.
  ASSERT_OK(Fill(8192 + 100, 10, 'c'));
  EXPECT_EQ(ReadText(8192, 4096),
            std::string(100, '\0') + std::string(10, 'c') + std::string(3986, '\0'));
}

// Else a later write beside it, cut short by a loss of power, brings it back.
TEST_F(ChunkWriterTest, RuleC3WhatAFullDiskCutShortIsErased) {
  ASSERT_OK(Fill(0, 4096, 'a'));
  ASSERT_OK(Fill(2 * 4096, 4096, 'a'));
  const std::string before = std::string(4096, 'a') + std::string(4096, '\0') +
                             std::string(4096, 'a') + std::string(4096, '\0');
  constexpr int kWriteFails = 1, kPunchFailsToo = 2;
  for (int failures : {kWriteFails, kPunchFailsToo}) {
    bool full = false;
    watcher_ = [&](const DiskOperation& operation, bool after) {
      if (operation.name != "write" || !after || full) return;
      full = true;
      FaultRule rule = FailWrites(FaultKind::kNoSpace);
      rule.times = failures;
      plan_.Set({rule});
    };
    EXPECT_EQ(Fill(0, 4 * 4096, 'b').code(), ErrorCode::kNoSpace);
    plan_.Clear();
    watcher_ = nullptr;
    EXPECT_EQ(RawText(0, 4 * 4096), before);
    EXPECT_EQ(ReadText(0, 4 * 4096), before);
  }
}

TEST_F(ChunkWriterTest, AnIoErrorEndsTheUseOfTheDisk) {
  ASSERT_OK(Fill(0, 8192, 'a'));
  plan_.Set({FailWrites(FaultKind::kTorn)});
  EXPECT_EQ(Fill(0, 8192, 'b').code(), ErrorCode::kDiskFailed);
  plan_.Clear();
  EXPECT_EQ(ReadText(0, 1), "disk failed");
  EXPECT_EQ(CodeOf(store_->Info(kChunk)), ErrorCode::kDiskFailed);
  EXPECT_EQ(CodeOf(store_->Blocks(kChunk)), ErrorCode::kDiskFailed);
  EXPECT_EQ(store_->Drop(kChunk).code(), ErrorCode::kDiskFailed);
  EXPECT_EQ(CodeOf(store_->SealIdle()), ErrorCode::kDiskFailed);
  EXPECT_EQ(store_->SyncAll().code(), ErrorCode::kDiskFailed);
}

TEST_F(ChunkWriterTest, InstallPutsBlocksVersionAndStampInPlace) {
  ASSERT_OK(Fill(0, 5 * 4096, 'a'));
  std::vector<std::byte> data = Filled(2 * 4096, 'b');
  std::vector<uint32_t> crcs = PieceCrcs(0, data);
  BlockInstall install = Install(1, data, crcs);
  install.absent_blocks = {0, 4};
  ASSERT_OK(store_->InstallBlocks(install));
  file_.generation = 4;
  EXPECT_EQ(ReadText(0, 5 * 4096), std::string(4096, '\0') + std::string(8192, 'b') +
                                       std::string(4096, 'a') + std::string(4096, '\0'));
  auto blocks = store_->Blocks(kChunk);
  ASSERT_OK(blocks);
  EXPECT_EQ((*blocks)->present, (std::vector<bool>{false, true, true, true}));
  EXPECT_EQ((*blocks)->info.version, (ChunkVersion{Epoch(3), 9}));
  EXPECT_EQ((*blocks)->info.generation, 4u);
  EXPECT_EQ((*blocks)->info.last_sequence, 77u);
}

// Else a write beside them brings the old bytes back when power is lost.
TEST_F(ChunkWriterTest, RuleC9BlocksThatAnInstallTakesAwayAreGoneFromTheDisk) {
  ASSERT_OK(Fill(0, 2 * 4096, 'a'));
  std::vector<std::string> done;
  watcher_ = [&](const DiskOperation& operation, bool after) {
    if (after && operation.path == PathOf(kChunk)) done.push_back(operation.name);
  };
  BlockInstall install = Install(0, {}, {});
  install.absent_blocks = {1};
  ASSERT_OK(store_->InstallBlocks(install));
  EXPECT_THAT(done, testing::ElementsAre("punch", "sync"));
  done.clear();
  ASSERT_OK(store_->InstallBlocks(install));
  EXPECT_THAT(done, testing::Not(testing::Contains("sync"))) << "nothing was taken away";
}

TEST_F(ChunkWriterTest, InstallLeavesOutAbsentBlocksInsideItsRange) {
  std::vector<std::byte> data = Filled(3 * 4096, 'b');
  std::vector<uint32_t> crcs = PieceCrcs(0, data);
  BlockInstall install = Install(0, data, crcs);
  install.absent_blocks = {1};
  ASSERT_OK(store_->InstallBlocks(install));
  auto blocks = store_->Blocks(kChunk);
  ASSERT_OK(blocks);
  EXPECT_EQ((*blocks)->present, (std::vector<bool>{true, false, true}));
  file_.generation = 4;
  EXPECT_EQ(ReadText(4096, 4096), std::string(4096, '\0'));
}

TEST_F(ChunkWriterTest, ABlockThatIsPresentNeedsNoRoom) {
  constexpr uint64_t kReserve = 64 << 20;
  space_ = DiskSpace{.total_bytes = 100 * kReserve, .available_bytes = kReserve + 4096};
  ASSERT_OK(Fill(0, 4096, 'a'));
  space_->available_bytes = kReserve - 1;
  EXPECT_OK(Fill(0, 4096, 'b'));
  EXPECT_EQ(Fill(0, 8192, 'c').code(), ErrorCode::kNoSpace);
  std::vector<std::byte> data = Filled(4096, 'd');
  std::vector<uint32_t> crcs = PieceCrcs(0, data);
  EXPECT_OK(store_->InstallBlocks(Install(0, data, crcs)));
}

TEST_F(ChunkWriterTest, RuleC6WhatAnActiveMemberHasMayUseTheRoomForOrderedWrites) {
  constexpr uint64_t kReserve = 64 << 20;
  space_ = DiskSpace{.total_bytes = 100 * kReserve, .available_bytes = kReserve / 2};
  std::vector<std::byte> data = Filled(4096, 'd');
  std::vector<uint32_t> crcs = PieceCrcs(0, data);
  BlockInstall install = Install(0, data, crcs);
  EXPECT_EQ(store_->InstallBlocks(install).code(), ErrorCode::kNoSpace);
  install.ordered = true;
  EXPECT_OK(store_->InstallBlocks(install));
  space_->available_bytes = kReserve / 8;  // the index needs it
  install = Install(1, data, crcs);
  install.ordered = true;
  EXPECT_EQ(store_->InstallBlocks(install).code(), ErrorCode::kNoSpace);
}

TEST_F(ChunkWriterTest, ACopiedChunkHasTheDigestOfItsSource) {
  const ChunkId source{InodeId(9), 9};
  ASSERT_OK(Fill(4096, 3 * 4096, 'a', source));
  auto fetched = store_->FetchBlocks(source, 1, 3);
  ASSERT_OK(fetched);
  ASSERT_OK(store_->InstallBlocks(Install(1, fetched->data.bytes(), fetched->crcs)));
  EXPECT_EQ((*store_->Info(kChunk))->digest, (*store_->Info(source))->digest);
}

TEST_F(ChunkWriterTest, InstallRefusesWhatDoesNotFitOrMatch) {
  std::vector<std::byte> data = Filled(4096, 'b');
  std::vector<uint32_t> crcs = PieceCrcs(0, data);
  EXPECT_EQ(store_->InstallBlocks(Install(256, data, crcs)).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(store_->InstallBlocks(Install(0xffffffff, data, crcs)).code(),
            ErrorCode::kInvalidArgument);
  BlockInstall install = Install(0, data, crcs);
  install.absent_blocks = {256};
  EXPECT_EQ(store_->InstallBlocks(install).code(), ErrorCode::kInvalidArgument);
  crcs[0] ^= 1;
  EXPECT_EQ(store_->InstallBlocks(Install(0, data, crcs)).code(), ErrorCode::kCorruption);
  EXPECT_EQ(ReadText(0, 1), "absent");
}

}  // namespace
}  // namespace cairn
