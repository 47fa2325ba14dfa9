#include "chunkserver/store/chunk_cut.h"

#include "tests/chunkserver/store/store_fixture.h"

namespace cairn {
namespace {

class RuleC9 : public StoreTest {
 protected:
  std::string Zeros(size_t count) { return std::string(count, '\0'); }
};

TEST_F(RuleC9, AReadShowsNothingOfWhatACutRemovedEvenIfTheFileGrewAgain) {
  ASSERT_OK(Fill(0, 20000, 'a'));
  Cut(5000);
  EXPECT_EQ(ReadText(0, 20000), std::string(5000, 'a') + Zeros(15000));
  EXPECT_EQ(ReadText(4096, 4096), std::string(904, 'a') + Zeros(3192));
  EXPECT_EQ(ReadText(8192, 8192), Zeros(8192));
}

TEST_F(RuleC9, AReaderWhoNamesFalseCutsFoolsOnlyItself) {
  ASSERT_OK(Fill(0, 20000, 'a'));
  const FileState honest = file_;
  for (int i = 0; i < 1000; ++i) Cut(0);
  EXPECT_EQ(ReadText(0, 20000), Zeros(20000));
  file_ = honest;
  EXPECT_EQ(ReadText(0, 20000), std::string(20000, 'a'));
  EXPECT_OK(Fill(0, 10, 'b'));
}

TEST_F(RuleC9, DamageBeyondACutIsNotSeen) {
  ASSERT_OK(Fill(0, 20000, 'a'));
  FlipByte(9000);
  Cut(8192);
  EXPECT_EQ(ReadText(0, 20000), std::string(8192, 'a') + Zeros(20000 - 8192));
}

// The index may keep the new stamp in a power cut that the data file's new end does not survive.
TEST_F(RuleC9, ACutIsOnDiskBeforeItsStamp) {
  ASSERT_OK(Fill(0, 20000, 'a'));
  Cut(5000);
  std::vector<std::string> done;
  watcher_ = [&](const DiskOperation& operation, bool after) {
    if (after && operation.path == PathOf(kChunk)) done.push_back(operation.name);
  };
  ASSERT_OK(store_->Remove(kChunk, file_, /*whole=*/false));
  EXPECT_EQ(ReadText(0, 20000), std::string(5000, 'a') + Zeros(15000));
  EXPECT_EQ(done, (std::vector<std::string>{"truncate", "sync"}));
  done.clear();
  Cut(4096);  // nothing of a block that stays is cut off
  ASSERT_OK(store_->Remove(kChunk, file_, /*whole=*/false));
  EXPECT_EQ(ReadText(0, 20000), std::string(4096, 'a') + Zeros(15904));
  EXPECT_EQ(done, (std::vector<std::string>{"truncate", "sync"}));
}

TEST_F(RuleC9, ACutThatTheFileRefusedIsTriedAgain) {
  ASSERT_OK(Fill(0, 5 * 4096, 'a'));
  Cut(4096);
  watcher_ = [&](const DiskOperation& operation, bool after) {
    if (operation.name != "truncate" || after) return;
    FaultRule once{.operation = FaultOperation::kWrite, .kind = FaultKind::kNoSpace};
    once.times = 1;
    plan_.Set({once});
  };
  EXPECT_EQ(store_->Remove(kChunk, file_, /*whole=*/false).code(), ErrorCode::kNoSpace);
  watcher_ = nullptr;
  EXPECT_EQ(RawText(4096, 4096), std::string(4096, 'a'));
  ASSERT_OK(store_->Remove(kChunk, file_, /*whole=*/false));
  EXPECT_EQ(RawText(0, 5 * 4096), std::string(4096, 'a') + Zeros(4 * 4096));
}

TEST_F(RuleC9, AWriteDropsWhatACutRemovedFirst) {
  ASSERT_OK(Fill(0, 20000, 'a'));
  Cut(5000);
  ASSERT_OK(Fill(12000, 10, 'b'));
  EXPECT_EQ(ReadText(0, 20000),
            std::string(5000, 'a') + Zeros(7000) + std::string(10, 'b') + Zeros(7990));
}

TEST_F(RuleC9, TheSmallestMissedCutCounts) {
  ASSERT_OK(Fill(0, 20000, 'a'));
  Cut(4096);
  Cut(9000);
  ASSERT_EQ(file_.cuts.size(), 2u);
  EXPECT_EQ(ReadText(0, 20000), std::string(4096, 'a') + Zeros(20000 - 4096));
}

TEST_F(RuleC9, ACutThatWasSeenIsNotAppliedAgain) {
  Cut(4096);
  ASSERT_OK(Fill(0, 20000, 'a'));
  EXPECT_EQ(ReadText(0, 20000), std::string(20000, 'a'));
}

TEST_F(RuleC9, CutsCountFromTheStartOfTheFile) {
  const ChunkId second{InodeId(1001), 1}, third{InodeId(1001), 2};
  for (ChunkId id : {kChunk, second, third}) ASSERT_OK(Fill(0, 9000, 'a', id));
  Cut(kMinChunkSize + 100);
  EXPECT_EQ(ReadText(0, 9000), std::string(9000, 'a'));
  EXPECT_EQ(ReadText(0, 9000, second), std::string(100, 'a') + Zeros(8900));
  EXPECT_EQ(ReadText(0, 9000, third), Zeros(9000));
}

TEST_F(RuleC9, ACallerWhoKnowsLessThanTheChunkIsRefused) {
  file_.generation = 3;
  ASSERT_OK(Fill(0, 10, 'a'));
  file_.generation = 2;
  EXPECT_EQ(CodeOf(Read(0, kBlockSize)), ErrorCode::kStaleGeneration);
  EXPECT_EQ(Fill(0, 10, 'b').code(), ErrorCode::kStaleGeneration);
  file_.generation = 3;
  EXPECT_EQ(ReadText(0, 10), "aaaaaaaaaa");
}

TEST_F(RuleC9, ARemovalNeverTouchesALaterStamp) {
  ASSERT_OK(Fill(0, 10, 'a'));
  FileState removed = file_;
  Cut(0);
  ASSERT_OK(Fill(0, 10, 'b'));  // after O_TRUNC, before the removal of the old chunks
  ASSERT_OK(store_->Remove(kChunk, removed, /*whole=*/true));
  EXPECT_EQ(ReadText(0, 10), "bbbbbbbbbb");
  ASSERT_OK(store_->Remove(kChunk, file_, /*whole=*/false));  // its own stamp
  EXPECT_EQ(ReadText(0, 10), "bbbbbbbbbb");
  ASSERT_OK(store_->Remove(kChunk, file_, /*whole=*/true));
  EXPECT_EQ(ReadText(0, 10), "absent");
  EXPECT_OK(store_->Remove(kChunk, file_, /*whole=*/true));
}

TEST_F(RuleC9, RemovalByCutTrimsOrDeletes) {
  const ChunkId second{InodeId(1001), 1};
  for (ChunkId id : {kChunk, second}) ASSERT_OK(Fill(0, 9000, 'a', id));
  Cut(5000);
  for (ChunkId id : {kChunk, second}) ASSERT_OK(store_->Remove(id, file_, /*whole=*/false));
  EXPECT_EQ(ReadText(0, 9000), std::string(5000, 'a') + Zeros(4000));
  EXPECT_EQ(ReadText(0, 9000, second), "absent");
}

TEST_F(RuleC9, ACutSurvivesAKillAndCutsASealedChunkToo) {
  ASSERT_OK(Fill(0, 20000, 'a'));
  ASSERT_OK(SealAll());
  Cut(5000);
  ASSERT_OK(store_->Remove(kChunk, file_, /*whole=*/false));
  EXPECT_FALSE(IsSealed());
  KillAndOpen();
  EXPECT_TRUE(store_->Suspects(kGroup).empty());
  EXPECT_EQ(ReadText(0, 20000), std::string(5000, 'a') + Zeros(15000));
}

TEST_F(RuleC9, ADamagedBlockIsNotMadeGoodByACut) {
  ASSERT_OK(Fill(0, 20000, 'a'));
  FlipByte(4100);
  Cut(5000);
  EXPECT_EQ(ReadText(4096, 100), "corruption");
  EXPECT_EQ(ReadText(0, 4096), std::string(4096, 'a'));
}

}  // namespace
}  // namespace cairn
