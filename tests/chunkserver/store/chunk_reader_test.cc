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

}  // namespace
}  // namespace cairn
