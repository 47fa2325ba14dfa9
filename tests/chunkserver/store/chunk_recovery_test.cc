#include "chunkserver/store/chunk_recovery.h"

#include "tests/chunkserver/store/store_fixture.h"

namespace cairn {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ChunkRecoveryTest : public StoreTest {
 protected:
  // Leaves new data under an old CRC, as a kill between the two does.
  void KillInTheMiddleOfBlock(uint32_t block) {
    store_.reset();
    FlipByte(uint64_t{block} * kBlockSize + 7);
    Open(/*clean_stop=*/false);
  }
};

TEST_F(ChunkRecoveryTest, ABlockThatWasBeingWrittenIsSuspectNotDamaged) {
  ASSERT_OK(Fill(0, 3 * 4096, 'a'));
  KillInTheMiddleOfBlock(1);
  EXPECT_THAT(store_->Suspects(kGroup), ElementsAre(kChunk));
  EXPECT_THAT(store_->Suspects(PgId(8)), IsEmpty());
  EXPECT_EQ((*store_->Blocks(kChunk))->suspect, (std::vector<bool>{false, true, false}));
  EXPECT_EQ(ReadText(4096, 10), "corruption");
  EXPECT_EQ(CodeOf(store_->FetchBlocks(kChunk, 0, 3)), ErrorCode::kCorruption);
  EXPECT_EQ(ReadText(0, 10), "aaaaaaaaaa");
  EXPECT_EQ(store_->Counters().checksum_errors, 0u);
}

TEST_F(ChunkRecoveryTest, AdoptTakesSuspectBlocksAsTheyAre) {
  ASSERT_OK(Fill(0, 3 * 4096, 'a'));
  KillInTheMiddleOfBlock(1);
  ASSERT_OK(store_->Adopt(kChunk));
  EXPECT_EQ(ReadText(4096, 10), std::string(7, 'a') + "`aa");
  EXPECT_EQ(store_->Counters().adopted_blocks, 1u);
  EXPECT_THAT(store_->Suspects(kGroup), IsEmpty());
  KillAndOpen();
  EXPECT_THAT(store_->Suspects(kGroup), IsEmpty());
}

// Rule C8: the row of a write may have reached the disk without its bytes.
TEST_F(ChunkRecoveryTest, AdoptForgetsTheLastRequest) {
  const std::vector<std::byte> data = Filled(4096, 'a');
  const std::vector<uint32_t> crcs = PieceCrcs(0, data);
  ChunkWrite write;
  write.id = kChunk;
  write.group = kGroup;
  write.file = file_;
  write.version = {Epoch(1), 1};
  write.data = data;
  write.crcs = crcs;
  write.session = SessionId(9);
  write.sequence = 4;
  ASSERT_OK(store_->Write(write));
  EXPECT_EQ((*store_->Info(kChunk))->last_sequence, 4u);
  KillInTheMiddleOfBlock(0);
  EXPECT_EQ((*store_->Info(kChunk))->last_sequence, 4u);
  ASSERT_OK(store_->Adopt(kChunk));
  EXPECT_EQ((*store_->Info(kChunk))->last_session, SessionId());
  EXPECT_EQ((*store_->Info(kChunk))->last_sequence, 0u);
}

TEST_F(ChunkRecoveryTest, RuleC8ACutThatTakesASuspectBlockAsItIsForgetsTheLastRequest) {
  ASSERT_OK(Fill(0, 3 * 4096, 'a'));
  ASSERT_NE((*store_->Info(kChunk))->last_sequence, 0u);
  KillInTheMiddleOfBlock(1);
  Cut(4096 + 100);
  ASSERT_OK(store_->Remove(kChunk, file_, /*whole=*/false));
  EXPECT_THAT(store_->Suspects(kGroup), IsEmpty());
  EXPECT_EQ((*store_->Info(kChunk))->last_session, SessionId());
  EXPECT_EQ((*store_->Info(kChunk))->last_sequence, 0u);
}

TEST_F(ChunkRecoveryTest, AWholeBlockClearsSuspicionAndAPieceAdoptsTheRest) {
  ASSERT_OK(Fill(0, 3 * 4096, 'a'));
  KillInTheMiddleOfBlock(1);
  ASSERT_OK(Fill(4096, 4096, 'b'));
  EXPECT_THAT(store_->Suspects(kGroup), IsEmpty());
  EXPECT_EQ(store_->Counters().adopted_blocks, 0u);
  KillInTheMiddleOfBlock(2);
  ASSERT_OK(Fill(8192, 3, 'c'));
  EXPECT_THAT(store_->Suspects(kGroup), IsEmpty());
  EXPECT_EQ(store_->Counters().adopted_blocks, 1u);
  EXPECT_EQ(ReadText(8192, 8), "cccaaaa`");
}

TEST_F(ChunkRecoveryTest, SuspectsAreNeitherSealedNorForgotten) {
  ASSERT_OK(Fill(0, 3 * 4096, 'a'));
  KillInTheMiddleOfBlock(1);
  EXPECT_EQ(*SealAll(), 0u);
  CloseAndOpen();
  EXPECT_THAT(store_->Suspects(kGroup), ElementsAre(kChunk));
}

TEST_F(ChunkRecoveryTest, ASealedBlockThatDoesNotMatchIsDamageAlways) {
  ASSERT_OK(Fill(0, 3 * 4096, 'a'));
  ASSERT_OK(SealAll());
  KillInTheMiddleOfBlock(1);
  EXPECT_THAT(store_->Suspects(kGroup), IsEmpty());
  EXPECT_EQ(ReadText(4096, 10), "corruption");
  EXPECT_EQ(store_->Counters().checksum_errors, 1u);
  ASSERT_OK(store_->Adopt(kChunk));
  EXPECT_EQ(ReadText(4096, 10), "corruption") << "damage is never adopted";
}

TEST_F(ChunkRecoveryTest, AFileThatNeverGotARowIsRemoved) {
  const ChunkId never{InodeId(77), 0};
  store_.reset();
  ASSERT_OK(PosixFiles().Open(PathOf(never), OpenMode::kCreate));
  Open(/*clean_stop=*/false);
  EXPECT_FALSE(PosixFiles().Exists(PathOf(never)));
}

TEST_F(ChunkRecoveryTest, RuleC3BytesThatNeverGotARowAreErased) {
  constexpr uint32_t kFar = 70 * 4096;  // another row of CRCs
  ASSERT_OK(Fill(0, 4096, 'a'));
  ASSERT_OK(Fill(kFar, 4096, 'a'));
  store_.reset();
  FlipByte(2 * 4096 + 5);
  FlipByte(kFar + 4096 - 4096 * 3);
  EXPECT_NE(RawText(2 * 4096, 4096), std::string(4096, '\0'));
  Open(/*clean_stop=*/false);
  EXPECT_EQ(RawText(0, kFar + 4096),
            std::string(4096, 'a') + std::string(kFar - 4096, '\0') + std::string(4096, 'a'));
  EXPECT_THAT(store_->Suspects(kGroup), IsEmpty());
}

// Else the old file, back under its name after a power cut, would stand under the new one's rows.
TEST_F(ChunkRecoveryTest, RuleC9AFileIsCreatedAnewOnlyWhenItsRemovalIsOnDisk) {
  std::vector<std::string> done;
  ASSERT_OK(Fill(0, 4096, 'a'));
  ASSERT_OK(store_->Drop(kChunk));
  watcher_ = [&](const DiskOperation& operation, bool after) {
    if (after && operation.path.find("/chunks/") != std::string::npos) {
      done.push_back(operation.name);
    }
  };
  ASSERT_OK(Fill(0, 4096, 'b'));
  EXPECT_THAT(done, ElementsAre("syncdir", "create", "write"));
  done.clear();
  ASSERT_OK(store_->Drop(kChunk));
  KillAndOpen();
  ASSERT_OK(Fill(0, 4096, 'c'));
  EXPECT_THAT(done, ElementsAre("remove", "create", "write")) << "the start brought it to disk";
}

TEST_F(ChunkRecoveryTest, AnOldNameThatMayNotBeGoneEndsTheUseOfTheDisk) {
  ASSERT_OK(Fill(0, 4096, 'a'));
  ASSERT_OK(store_->Drop(kChunk));
  plan_.Set({{.operation = FaultOperation::kSync, .kind = FaultKind::kNoSpace}});
  EXPECT_EQ(Fill(0, 4096, 'b').code(), ErrorCode::kDiskFailed);
}

TEST_F(ChunkRecoveryTest, ASealedChunkWithoutItsFileIsDamaged) {
  ASSERT_OK(Fill(0, 4096, 'a'));
  ASSERT_OK(SealAll());
  store_.reset();
  ASSERT_OK(PosixFiles().Remove(PathOf(kChunk)));
  Open(/*clean_stop=*/false);
  EXPECT_EQ(ReadText(0, 10), "corruption");
  EXPECT_EQ(store_->Counters().checksum_errors, 1u);
  ASSERT_OK(Fill(0, 4096, 'b'));
  EXPECT_EQ(ReadText(0, 10), "bbbbbbbbbb");
}

// The process dies before or after the n-th operation on the disk, for every n until the change
// gets through. Whatever it did, each block reads as old or new afterwards.
class KillAtEveryStep : public StoreTest {
 protected:
  static constexpr uint32_t kBlocks = 6;

  void ExpectOldOrNew(const std::string& before, const std::string& after) {
    for (ChunkId id : store_->Suspects(kGroup)) ASSERT_OK(store_->Adopt(id));
    for (uint32_t block = 0; block < kBlocks; ++block) {
      std::string now = ReadText(block * kBlockSize, kBlockSize);
      const size_t at = size_t{block} * kBlockSize;
      EXPECT_TRUE(now == before.substr(at, kBlockSize) || now == after.substr(at, kBlockSize))
          << "block " << block;
    }
    EXPECT_EQ(store_->Counters().checksum_errors, 0u);
  }
};

TEST_F(KillAtEveryStep, OfAnOverwriteLeavesEachBlockOldOrNew) {
  const std::string before = std::string(3 * 4096, 'a') + std::string(3 * 4096, '\0');
  std::string after = before;
  after.replace(1000, 15000, std::string(15000, 'b'));
  int killed = 0;
  for (int step = 0;; ++step, ++killed) {
    ASSERT_OK(store_->Drop(kChunk));
    ASSERT_OK(Fill(0, 3 * 4096, 'a'));
    if (step % 2 == 0) {
      ASSERT_OK(SealAll());
    }
    const bool died = KillAtStep(step, [this] { (void)Fill(1000, 15000, 'b'); });
    ExpectOldOrNew(before, after);
    if (!died) break;
  }
  EXPECT_GE(killed, 4) << "two writes, each before and after";
  EXPECT_EQ(ReadText(0, kBlocks * kBlockSize), after);
}

TEST_F(KillAtEveryStep, OfACutLeavesEachBlockOldOrNewAndTheCutIsMadeUpFor) {
  const std::string before = std::string(kBlocks * 4096, 'a');
  const std::string after = std::string(9000, 'a') + std::string(kBlocks * 4096 - 9000, '\0');
  for (int step = 0;; ++step) {
    ASSERT_OK(store_->Drop(kChunk));
    file_ = {.chunk_size = kMinChunkSize, .generation = 1, .cuts = {}};
    ASSERT_OK(Fill(0, kBlocks * 4096, 'a'));
    if (step % 2 == 0) {
      ASSERT_OK(SealAll());
    }
    Cut(9000);
    const bool died = KillAtStep(step, [this] { (void)ReadText(0, 10); });
    EXPECT_EQ(ReadText(0, kBlocks * kBlockSize), after) << "step " << step;
    EXPECT_THAT(store_->Suspects(kGroup), IsEmpty());
    if (!died) break;
    EXPECT_LT(step, 10);
  }
}

TEST_F(KillAtEveryStep, OfTheFirstWriteLeavesNothingOrAllOfIt) {
  const std::string before(kBlocks * 4096, '\0'), after(kBlocks * 4096, 'b');
  for (int step = 0;; ++step) {
    ASSERT_OK(store_->Drop(kChunk));
    const bool died = KillAtStep(step, [this] { (void)Fill(0, kBlocks * 4096, 'b'); });
    std::string now = ReadText(0, kBlocks * kBlockSize);
    EXPECT_TRUE(now == "absent" || now == after);
    EXPECT_EQ(PosixFiles().Exists(PathOf(kChunk)), now == after);
    if (!died) break;
  }
}

}  // namespace
}  // namespace cairn
