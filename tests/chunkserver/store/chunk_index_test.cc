#include "chunkserver/store/chunk_index.h"

#include <filesystem>

#include "common/durable_leveldb.h"
#include "tests/chunkserver/store/store_fixture.h"

namespace cairn {
namespace {

using testing::ElementsAre;

class ChunkIndexTest : public testing::Test {
 protected:
  ChunkIndexTest() { Reopen(); }
  ~ChunkIndexTest() override {
    index_.reset();
    std::filesystem::remove_all(directory_);
  }
  void Reopen() {
    index_.reset();
    auto index = ChunkIndex::Open(directory_, /*unclean_boot=*/true);
    ASSERT_OK(index);
    index_ = std::move(*index);
  }
  void Put(ChunkId id, PgId group, bool sync = false) {
    ChunkRow row;
    row.group = group;
    CrcRow crcs;
    crcs.Set(0, id.index);
    IndexBatch batch;
    batch.PutChunk(id, row);
    batch.PutCrcs(id, 2, crcs);
    batch.AddToGroup(group, id);
    batch.MarkUnsealed(id);
    ASSERT_OK(index_->Write(batch, sync));
  }
  const std::string directory_ = MakeTestDirectory();
  std::unique_ptr<ChunkIndex> index_;
};

TEST_F(ChunkIndexTest, HoldsRowsAcrossRestarts) {
  const ChunkId id{InodeId(9), 4};
  Put(id, PgId(3));
  ASSERT_OK(index_->Sync());
  Reopen();
  EXPECT_EQ((*index_->Chunk(id))->group, PgId(3));
  EXPECT_EQ(index_->Crcs(id, 2)->crcs[0], 4u);
  EXPECT_EQ(index_->Crcs(id, 1)->present, 0u);
  EXPECT_FALSE(*index_->Chunk(ChunkId{InodeId(9), 5}));
  EXPECT_THAT(*index_->View().Unsealed(), ElementsAre(id));
}

TEST_F(ChunkIndexTest, ListsAGroupAfterAnId) {
  const ChunkId a{InodeId(1), 0}, b{InodeId(1), 1}, c{InodeId(2), 0}, other{InodeId(1), 2};
  for (ChunkId id : {c, a, b}) Put(id, PgId(3));
  Put(other, PgId(4));
  EXPECT_THAT(*index_->View().Group(PgId(3), {}, 10), ElementsAre(a, b, c));
  EXPECT_THAT(*index_->View().Group(PgId(3), a, 1), ElementsAre(b));
  EXPECT_THAT(*index_->View().Group(PgId(3), ChunkId{InodeId(1), 7}, 10), ElementsAre(c));
}

TEST_F(ChunkIndexTest, VisitsChunksOfAllGroupsInOrderAfterAnId) {
  const ChunkId a{InodeId(1), 0}, b{InodeId(1), 1}, c{InodeId(2), 0}, d{InodeId(0x100), 0};
  for (ChunkId id : {d, b, c, a}) Put(id, id == b ? PgId(3) : PgId(4));
  const auto visited = [&](std::optional<ChunkId> after, size_t limit) {
    std::vector<ChunkId> ids;
    EXPECT_OK(index_->View().VisitChunks(after, limit,
                                         [&](ChunkId id, const ChunkRow&) { ids.push_back(id); }));
    return ids;
  };
  EXPECT_THAT(visited({}, 10), ElementsAre(a, b, c, d));
  EXPECT_THAT(visited({}, 2), ElementsAre(a, b));
  EXPECT_THAT(visited(b, 1), ElementsAre(c));
  EXPECT_THAT(visited(ChunkId{InodeId(1), UINT32_MAX}, 10), ElementsAre(c, d));
  EXPECT_THAT(visited(d, 10), testing::IsEmpty());
  EXPECT_THAT(visited({}, 0), testing::IsEmpty());
}

TEST_F(ChunkIndexTest, AViewStandsStill) {
  const ChunkId id{InodeId(1), 0};
  Put(id, PgId(3));
  const IndexView view = index_->View();
  IndexBatch batch;
  batch.RemoveChunk(id);
  batch.RemoveCrcs(id, 2);
  ASSERT_OK(index_->Write(batch, false));
  EXPECT_TRUE(*view.Chunk(id));
  EXPECT_NE(*view.Digest(id), 0u);
  EXPECT_FALSE(*index_->Chunk(id));
  EXPECT_EQ(*index_->View().Digest(id), 0u);
}

TEST_F(ChunkIndexTest, AnUnknownFormatIsRefused) {
  index_.reset();
  {
    auto database = DurableLevelDb::Open(directory_, {});
    ASSERT_OK(database);
    leveldb::WriteBatch batch;
    batch.Put(FormatKey(), "\x03");
    ASSERT_OK((*database)->Write(&batch, true));
  }
  EXPECT_EQ(CodeOf(ChunkIndex::Open(directory_, false)), ErrorCode::kNotSupported);
}

// The seal is written after the CRC rows it vouches for. Wherever the log ends after a power cut,
// a seal that is there has its rows beside it.
TEST_F(ChunkIndexTest, RuleC5ASealNeverOutlivesEarlierCrcRows) {
  const ChunkId id{InodeId(1), 0};
  Put(id, PgId(3));
  ChunkRow sealed;
  sealed.group = PgId(3);
  sealed.sealed = true;
  IndexBatch batch;
  batch.PutChunk(id, sealed);
  batch.MarkSealed(id);
  ASSERT_OK(index_->Write(batch, true));
  index_.reset();
  const std::string whole = directory_;
  for (size_t lost = 0; lost < 400; lost += 7) {
    const std::string copy = MakeTestDirectory();
    std::filesystem::copy(whole, copy, std::filesystem::copy_options::recursive);
    for (const auto& entry : std::filesystem::directory_iterator(copy)) {
      if (entry.path().extension() != ".log") continue;
      const auto size = std::filesystem::file_size(entry.path());
      std::filesystem::resize_file(entry.path(), size > lost ? size - lost : 0);
    }
    auto after = ChunkIndex::Open(copy, /*unclean_boot=*/true);
    ASSERT_OK(after);
    auto row = (*after)->Chunk(id);
    ASSERT_OK(row);
    if (*row && (*row)->sealed) {
      EXPECT_EQ((*after)->Crcs(id, 2)->present, 1u) << lost;
    }
    after->reset();
    std::filesystem::remove_all(copy);
  }
}

}  // namespace
}  // namespace cairn
