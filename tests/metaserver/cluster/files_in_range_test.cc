#include "metaserver/cluster/files_in_range.h"

#include <sys/stat.h>

#include "metaserver/cluster/stored_listings.h"
#include "metaserver/store/schema.h"
#include "tests/common/status_matchers.h"
#include "tests/metaserver/cluster/fake_state.h"

namespace cairn {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class FilesInRangeTest : public testing::Test {
 protected:
  FilesInRangeTest() {
    for (const uint64_t inode : {1, 5, 6, 9}) {
      v1::InodeRecord record;
      record.mutable_attributes()->set_inode(inode);
      record.mutable_attributes()->set_mode(inode == 1 ? S_IFDIR : S_IFREG);
      for (uint64_t run = 0; run < inode; ++run) record.mutable_file()->add_runs();
      state_.Put(schema::InodeKey(InodeId(inode)), record);
    }
    state_.Put(schema::OrphanKey(InodeId(7)), v1::OrphanRecord());
  }
  std::vector<uint64_t> Load(ChunkId after, ChunkId upto, const FileLimits& limits = {}) {
    range_ = {after, upto};
    return IdsOf(LoadFiles(*state_.View(), range_, limits));
  }
  static std::vector<uint64_t> IdsOf(const Result<std::map<InodeId, FileChunks>>& files) {
    std::vector<uint64_t> ids;
    EXPECT_THAT(files, IsOk());
    for (const auto& [inode, file] : *files) ids.push_back(inode.value);
    return ids;
  }
  FakeState state_;
  ChunkRange range_;
};

TEST_F(FilesInRangeTest, AllInodesOfTheRangeAreThereWhateverTheyAre) {
  EXPECT_THAT(Load({}, kLastChunk), ElementsAre(1, 5, 6, 9));
  EXPECT_THAT(Load({InodeId(1), UINT32_MAX}, {InodeId(6), UINT32_MAX}), ElementsAre(5, 6));
  EXPECT_EQ(range_.upto, (ChunkId{InodeId(6), UINT32_MAX}));
  EXPECT_THAT(Load({InodeId(9), UINT32_MAX}, kLastChunk), IsEmpty());
  EXPECT_THAT(Load(kLastChunk, kLastChunk), IsEmpty());
}

TEST_F(FilesInRangeTest, AnInodeThatIsPartlyInTheRangeIsThere) {
  EXPECT_THAT(Load({InodeId(5), 3}, {InodeId(6), 0}), ElementsAre(5, 6));
}

TEST_F(FilesInRangeTest, TheRangeEndsWithTheLastInodeTheLimitsLetIn) {
  EXPECT_THAT(Load({}, kLastChunk, {.rows = 2}), ElementsAre(1, 5));
  EXPECT_EQ(range_.upto, (ChunkId{InodeId(5), UINT32_MAX}));
  EXPECT_THAT(Load({}, kLastChunk, {.rows = 2, .runs = 1}), ElementsAre(1));
  EXPECT_EQ(range_.upto, (ChunkId{InodeId(1), UINT32_MAX}));
  EXPECT_THAT(Load({}, kLastChunk, {.rows = 4}), ElementsAre(1, 5, 6, 9));
  EXPECT_EQ(range_.upto, kLastChunk);
}

TEST_F(FilesInRangeTest, SomeInodesAreReadAlone) {
  EXPECT_THAT(IdsOf(LoadFiles(*state_.View(), {InodeId(5), InodeId(7), InodeId(9)})),
              ElementsAre(5, 9));
}

}  // namespace
}  // namespace cairn
