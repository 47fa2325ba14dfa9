// Random operations on a few chunks, compared with plain strings, through restarts and kills.
#include <map>

#include "tests/chunkserver/store/store_fixture.h"

namespace cairn {
namespace {

class StoreModelTest : public StoreTest {
 protected:
  void RandomWrite() {
    const ChunkId id = AnyChunk();
    const size_t size = 1 + random_() % (random_() % 4 == 0 ? 100000 : 9000);
    const size_t offset = random_() % (kSpan - size);
    std::vector<std::byte> data = RandomBytes(random_, size);
    // As the members do: a chunk learns of the file's cuts with every frame.
    ASSERT_OK(Write(offset, data, id));
    model_.try_emplace(id, kSpan, '\0').first->second.replace(offset, size, Text(data));
  }
  void RandomRead() {
    const ChunkId id = AnyChunk();
    const auto offset = static_cast<uint32_t>(random_() % (kSpan - 1));
    const auto size = static_cast<uint32_t>(1 + random_() % (kSpan - offset));
    std::string read = ReadText(offset, size, id);
    auto it = model_.find(id);
    ASSERT_TRUE(read == (it == model_.end() ? "absent" : it->second.substr(offset, size)));
  }
  void RandomCut() {
    const uint64_t length = random_() % (kChunks * kMinChunkSize);
    Cut(length);
    if (file_.cuts.size() > 64) file_.cuts.erase(file_.cuts.begin());
    for (auto& [id, bytes] : model_) {
      const uint64_t start = uint64_t{id.index} * kMinChunkSize;
      const uint64_t kept = length > start ? length - start : 0;
      if (kept < kSpan) bytes.replace(kept, kSpan - kept, kSpan - kept, '\0');
    }
  }
  void RandomDrop() {
    const ChunkId id = AnyChunk();
    ASSERT_OK(store_->Drop(id));
    model_.erase(id);
  }
  void RandomSync() {
    const ChunkId ids[] = {AnyChunk(), AnyChunk()};
    ASSERT_OK(store_->Sync(ids));
  }
  void Seal() { ASSERT_OK(SealAll()); }
  void Step() {
    const uint64_t choice = random_() % 100;
    if (choice < 50) return RandomWrite();
    if (choice < 85) return RandomRead();
    if (choice < 90) return RandomCut();
    if (choice < 93) return RandomDrop();
    if (choice < 96) return RandomSync();
    if (choice < 98) return Seal();
    return choice == 98 ? CloseAndOpen() : KillAndOpen();
  }
  ChunkId AnyChunk() { return {InodeId(3), static_cast<uint32_t>(random_() % kChunks)}; }

  static constexpr uint32_t kChunks = 4;
  static constexpr uint32_t kSpan = 400000;  // of each chunk
  std::mt19937_64 random_{TestSeed()};
  std::map<ChunkId, std::string> model_;
};

TEST_F(StoreModelTest, ReadsWhatTheModelHolds) {
  for (int i = 0; i < 2000 && !HasFatalFailure(); ++i) Step();
  EXPECT_EQ(store_->Counters().checksum_errors, 0u);
  EXPECT_EQ(store_->Counters().adopted_blocks, 0u);
}

}  // namespace
}  // namespace cairn
