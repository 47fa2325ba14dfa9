#include "chunkserver/store/chunk_table.h"

#include <filesystem>

#include "tests/chunkserver/store/store_fixture.h"

namespace cairn {
namespace {

class ChunkTableTest : public testing::Test {
 protected:
  ~ChunkTableTest() override {
    index_.reset();
    std::filesystem::remove_all(directory_);
  }
  const std::string directory_ = MakeTestDirectory();
  std::unique_ptr<ChunkIndex> index_ = *ChunkIndex::Open(directory_ + "/index", false);
  ChunkFiles files_{PosixFiles(), directory_};
  ChunkTable table_{*index_, files_, 32};
};

TEST_F(ChunkTableTest, AChunkInUseStaysTheOneHoweverManyOthersCome) {
  const ChunkId id{InodeId(1), 0};
  std::shared_ptr<Chunk> held = table_.Get(id);
  for (uint32_t i = 1; i < 1000; ++i) (void)table_.Get(ChunkId{InodeId(1), i});
  EXPECT_EQ(table_.Get(id), held);
}

TEST_F(ChunkTableTest, ChunksThatNobodyUsesGo) {
  std::weak_ptr<Chunk> first = table_.Get(ChunkId{InodeId(1), 0});
  for (uint32_t i = 1; i < 1000; ++i) (void)table_.Get(ChunkId{InodeId(1), i});
  EXPECT_TRUE(first.expired());
}

TEST_F(ChunkTableTest, AChunkWithoutAFileReadsAsZeros) {
  std::shared_ptr<Chunk> chunk = table_.Get(ChunkId{InodeId(1), 0});
  absl::WriterMutexLock lock(&chunk->mu);
  std::vector<std::byte> bytes = Filled(100, 'x');
  ASSERT_OK(chunk->ReadBytes(50, bytes));
  EXPECT_EQ(Text(bytes), std::string(100, '\0'));
  EXPECT_EQ(*chunk->FileSize(), 0u);
}

}  // namespace
}  // namespace cairn
