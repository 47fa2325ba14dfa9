#include "chunkserver/store/chunk_reader.h"

#include <thread>

#include "tests/chunkserver/store/store_fixture.h"

namespace cairn {
namespace {

// The first read of a block answers wrong bytes, as memory or a controller may do once.
class FlakyFile final : public File {
 public:
  FlakyFile(std::unique_ptr<File> below, int& lies) : below_(std::move(below)), lies_(lies) {}
  Result<size_t> Read(uint64_t offset, std::span<std::byte> out) override {
    auto read = below_->Read(offset, out);
    if (read.has_value() && lies_ > 0 && !out.empty()) {
      --lies_;
      out[0] ^= std::byte{1};
    }
    return read;
  }
  Status Write(uint64_t offset, std::span<const std::byte> data) override {
    return below_->Write(offset, data);
  }
  Status Sync() override { return below_->Sync(); }
  Status Truncate(uint64_t size) override { return below_->Truncate(size); }
  Status PunchHole(uint64_t at, uint64_t length) override { return below_->PunchHole(at, length); }
  Status Preallocate(uint64_t size) override { return below_->Preallocate(size); }
  Result<uint64_t> Size() override { return below_->Size(); }

 private:
  std::unique_ptr<File> below_;
  int& lies_;
};

class FlakyFiles final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    ASSIGN_OR_RETURN(std::unique_ptr<File> file, below_.Open(path, mode));
    return std::make_unique<FlakyFile>(std::move(file), lies);
  }
  Status MakeDirectory(const std::string& path) override { return below_.MakeDirectory(path); }
  Status Remove(const std::string& path) override { return below_.Remove(path); }
  Status Rename(const std::string& a, const std::string& b) override { return below_.Rename(a, b); }
  Result<std::vector<std::string>> List(const std::string& path) override {
    return below_.List(path);
  }
  bool Exists(const std::string& path) override { return below_.Exists(path); }
  Status SyncDirectory(const std::string& path) override { return below_.SyncDirectory(path); }
  Status SyncAll(const std::string& path) override { return below_.SyncAll(path); }
  Result<DiskSpace> Space(const std::string& path) override { return below_.Space(path); }

  int lies = 0;

 private:
  FileSystem& below_ = PosixFiles();
};

class RuleC12 : public StoreTest {
 protected:
  RuleC12() {
    store_.reset();
    files_ = std::make_unique<FlakyFiles>();
    flaky_ = static_cast<FlakyFiles*>(files_.get());
    Open();
  }
  FlakyFiles* flaky_ = nullptr;
};

TEST_F(RuleC12, AMismatchThatDoesNotPersistUnderTheLockIsNoDamage) {
  ASSERT_OK(Fill(0, 8192, 'a'));
  flaky_->lies = 1;
  EXPECT_EQ(ReadText(0, 8192), std::string(8192, 'a'));
  EXPECT_EQ(store_->Counters().checksum_errors, 0u);
}

TEST_F(RuleC12, OneThatPersistsIs) {
  ASSERT_OK(Fill(0, 8192, 'a'));
  flaky_->lies = 1000;
  EXPECT_EQ(ReadText(0, 8192), "corruption");
  EXPECT_EQ(store_->Counters().checksum_errors, 1u);
}

TEST_F(RuleC12, ReadsDuringWritesNeverSeeAMismatch) {
  ASSERT_OK(Fill(0, 64 * 4096, 'a'));
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (char with = 'a'; !stop; with = with == 'z' ? 'a' : static_cast<char>(with + 1)) {
      EXPECT_OK(Fill(0, 64 * 4096, with));
    }
  });
  for (int i = 0; i < 500; ++i) {
    const std::string text = ReadText(0, 64 * 4096);
    ASSERT_EQ(text.size(), 64u * 4096);
    EXPECT_EQ(text.find_first_not_of(text[0]), std::string::npos) << "a write is seen whole";
  }
  stop = true;
  writer.join();
  EXPECT_EQ(store_->Counters().checksum_errors, 0u);
}

class ScrubCheckTest : public StoreTest {};

TEST_F(ScrubCheckTest, FindsFlippedBlocksAndNoOthers) {
  ASSERT_OK(Fill(0, 10 * kBlockSize, 'a'));
  ASSERT_OK(Fill(20 * kBlockSize, kBlockSize, 'b'));
  FlipByte(3 * kBlockSize + 17);
  FlipByte(20 * kBlockSize);
  FlipByte(15 * kBlockSize);  // of a hole: nobody reads it
  const Result<BlockCheck> check = store_->Check(kChunk, 0, 256);
  ASSERT_OK(check);
  EXPECT_EQ(check->present_blocks, 11u);
  EXPECT_EQ(check->bad_blocks, (std::vector<uint32_t>{3, 20}));
  EXPECT_EQ(store_->Counters().checksum_errors, 2u);
  EXPECT_TRUE(store_->Check(kChunk, 4, 10)->bad_blocks.empty());
}

TEST_F(ScrubCheckTest, AFileThatIsGoneIsAllBad) {
  ASSERT_OK(Fill(0, 2 * kBlockSize, 'a'));
  CloseAndOpen();
  ASSERT_OK(PosixFiles().Remove(PathOf(kChunk)));
  EXPECT_EQ(store_->Check(kChunk, 0, 256)->bad_blocks.size(), 2u);
}

TEST_F(ScrubCheckTest, ThereIsNothingToFindInAChunkThatIsAbsent) {
  EXPECT_EQ(store_->Check(kChunk, 0, 256)->present_blocks, 0u);
  ASSERT_OK(Fill(0, 10, 'a'));
  EXPECT_EQ(store_->Check(kChunk, 100000, 256)->present_blocks, 0u);
}

TEST_F(ScrubCheckTest, TheMarkOfAScrubOutlivesTheProcess) {
  EXPECT_EQ(*store_->LoadScrubMark(), ScrubMark());
  const ScrubMark mark{.order = 3,
                       .under_way = true,
                       .ordered = true,
                       .started_s = 1700000000,
                       .whole_s = 1600000000,
                       .group = kGroup,
                       .after = kChunk};
  ASSERT_OK(store_->StoreScrubMark(mark));
  KillAndOpen();
  EXPECT_EQ(*store_->LoadScrubMark(), mark);
}

}  // namespace
}  // namespace cairn
