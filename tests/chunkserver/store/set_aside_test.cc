#include "chunkserver/store/set_aside.h"

#include <algorithm>
#include <filesystem>

#include "tests/chunkserver/store/store_fixture.h"

namespace cairn {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RuleC11SetAside : public StoreTest {
 protected:
  void MakeSealed(ChunkId id = kChunk) {
    ASSERT_OK(Fill(0, 5000, 'a', id));
    ASSERT_OK(SealAll());
  }
  // The names in aside/, in order.
  std::vector<std::string> Aside() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ + "/aside")) {
      names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  std::string AsideText(const std::string& name) const {
    return *LoadFile(PosixFiles(), directory_ + "/aside/" + name);
  }
  bool IsListed(ChunkId id) {
    const auto stored = store_->ListStored(std::nullopt, 1000);
    return std::any_of(stored->begin(), stored->end(),
                       [&](const StoredChunk& chunk) { return chunk.id == id; });
  }
};

TEST_F(RuleC11SetAside, AChunkLeavesTheStoreAndItsBytesStay) {
  MakeSealed();
  const Result<bool> done = store_->SetAside(kChunk, kGroup);
  ASSERT_OK(done);
  EXPECT_TRUE(*done);
  EXPECT_EQ(ReadText(0, 10), "absent");
  EXPECT_FALSE(IsListed(kChunk));
  EXPECT_EQ(store_->Usage(kGroup).chunks, 0u);
  EXPECT_FALSE(std::filesystem::exists(PathOf(kChunk)));
  ASSERT_THAT(Aside(), ElementsAre("00000000000003e9-00000000-1030"));
  EXPECT_EQ(AsideText(Aside()[0]), std::string(5000, 'a'));
}

TEST_F(RuleC11SetAside, ItStaysAsideThroughAKillAndACleanRestart) {
  MakeSealed();
  ASSERT_OK(store_->SetAside(kChunk, kGroup));
  KillAndOpen();
  EXPECT_FALSE(IsListed(kChunk));
  EXPECT_EQ(Aside().size(), 1u);
  CloseAndOpen();
  EXPECT_FALSE(IsListed(kChunk));
  EXPECT_EQ(Aside().size(), 1u);
}

TEST_F(RuleC11SetAside, ItIsDeletedAfterADayAndNotBefore) {
  MakeSealed();
  ASSERT_OK(store_->SetAside(kChunk, kGroup));
  clock_.Advance(kAsideKept - std::chrono::minutes(1));
  ASSERT_OK(store_->SealIdle());
  EXPECT_EQ(Aside().size(), 1u);
  KillAndOpen();
  clock_.Advance(std::chrono::minutes(1));
  ASSERT_OK(store_->SealIdle());
  EXPECT_THAT(Aside(), IsEmpty());
}

TEST_F(RuleC11SetAside, AChunkThatIsNotHereOrOfAnotherGroupIsLeftAlone) {
  MakeSealed();
  EXPECT_FALSE(*store_->SetAside(kChunk, PgId(8)));
  EXPECT_FALSE(*store_->SetAside({InodeId(2), 0}, kGroup));
  EXPECT_EQ(ReadText(0, 5), "aaaaa");
  EXPECT_THAT(Aside(), IsEmpty());
}

// What is younger than the read that said that there is no such file may be a file's.
TEST_F(RuleC11SetAside, WhatMayHaveBeenWrittenAMomentAgoIsLeftAlone) {
  clock_.Advance(timing::kSealIdle);
  ASSERT_OK(Fill(0, 5000, 'a'));
  EXPECT_EQ(CodeOf(store_->SetAside(kChunk, kGroup)), ErrorCode::kBusy);
  CloseAndOpen();  // which seals it
  ASSERT_TRUE(IsSealed());
  EXPECT_EQ(CodeOf(store_->SetAside(kChunk, kGroup)), ErrorCode::kBusy);
  EXPECT_EQ(ReadText(0, 5), "aaaaa");
  clock_.Advance(timing::kSealIdle);
  EXPECT_TRUE(*store_->SetAside(kChunk, kGroup));
}

TEST_F(RuleC11SetAside, AnOverwriteOfASealedChunkSavesIt) {
  MakeSealed();
  ASSERT_OK(Fill(0, 10, 'b'));
  EXPECT_EQ(CodeOf(store_->SetAside(kChunk, kGroup)), ErrorCode::kBusy);
}

TEST_F(RuleC11SetAside, TheSameIdMayBeWrittenAndSetAsideAgain) {
  MakeSealed();
  ASSERT_OK(store_->SetAside(kChunk, kGroup));
  ASSERT_OK(Fill(0, 3, 'b'));
  EXPECT_EQ(ReadText(0, 5), std::string("bbb\0\0", 5));
  ASSERT_OK(SealAll());
  ASSERT_OK(store_->SetAside(kChunk, kGroup));
  ASSERT_EQ(Aside().size(), 2u);
  EXPECT_EQ(AsideText(Aside()[1]), "bbb");
  KillAndOpen();
  EXPECT_FALSE(IsListed(kChunk));
  EXPECT_EQ(Aside().size(), 2u);
}

TEST_F(RuleC11SetAside, ASealedChunkWithoutAFileJustGoes) {
  MakeSealed();
  ASSERT_OK(PosixFiles().Remove(PathOf(kChunk)));
  EXPECT_TRUE(*store_->SetAside(kChunk, kGroup));
  EXPECT_FALSE(IsListed(kChunk));
  EXPECT_THAT(Aside(), IsEmpty());
}

// Killed before or after each operation on the disk: whole in its place or whole aside, never both
// and never lost.
TEST_F(RuleC11SetAside, AKillAtAnyStepLeavesTheChunkInItsPlaceOrAside) {
  bool died = true;
  int in_place = 0;
  for (int step = 0; died; ++step) {
    ASSERT_LT(step, 20);
    ASSERT_OK(store_->Drop(kChunk));
    ASSERT_OK(store_->Close());
    KillAndOpen();
    std::filesystem::remove_all(directory_ + "/aside");
    KillAndOpen();
    MakeSealed();
    died = KillAtStep(step, [this] {
      clock_.Advance(timing::kSealIdle);
      (void)store_->SetAside(kChunk, kGroup);
    });
    const bool is_aside = Aside().size() == 1;
    EXPECT_NE(is_aside, IsListed(kChunk)) << "step " << step;
    if (is_aside) {
      EXPECT_EQ(AsideText(Aside()[0]), std::string(5000, 'a'));
    } else {
      EXPECT_EQ(ReadText(0, 5000), std::string(5000, 'a')) << "step " << step;
      ++in_place;
    }
  }
  EXPECT_FALSE(IsListed(kChunk));
  EXPECT_GE(in_place, 4) << "before and after the move and each sync";
}

TEST_F(RuleC11SetAside, ADiskThatIsFullLeavesTheChunkInItsPlace) {
  MakeSealed();
  plan_.Set({{.operation = FaultOperation::kWrite,
              .kind = FaultKind::kNoSpace,
              .where = "/chunks/"}});
  EXPECT_EQ(CodeOf(store_->SetAside(kChunk, kGroup)), ErrorCode::kNoSpace);
  plan_.Set({});
  EXPECT_EQ(ReadText(0, 5), "aaaaa");
  EXPECT_TRUE(*store_->SetAside(kChunk, kGroup));
}

TEST_F(RuleC11SetAside, ForeignFilesInTheFolderAreLeftAlone) {
  ASSERT_OK(PosixFiles().Open(directory_ + "/aside/notes", OpenMode::kCreate));
  KillAndOpen();
  clock_.Advance(2 * kAsideKept);
  ASSERT_OK(store_->SealIdle());
  EXPECT_THAT(Aside(), ElementsAre("notes"));
}

TEST_F(StoreTest, ListStoredTellsGroupAndBytesAndGoesOnAfterAnId) {
  for (uint64_t inode = 1; inode <= 3; ++inode) {
    ASSERT_OK(Fill(0, inode * kBlockSize, 'a', {InodeId(inode), 0}));
  }
  const auto page = store_->ListStored(ChunkId{InodeId(1), 0}, 1);
  ASSERT_OK(page);
  ASSERT_EQ(page->size(), 1u);
  EXPECT_EQ((*page)[0].id, (ChunkId{InodeId(2), 0}));
  EXPECT_EQ((*page)[0].group, kGroup);
  EXPECT_EQ((*page)[0].bytes, 2u * kBlockSize);
}

}  // namespace
}  // namespace cairn
