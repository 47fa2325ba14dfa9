#include "metaserver/cluster/where.h"

#include <sys/stat.h>

#include "metaserver/store/schema.h"
#include "tests/metaserver/cluster/cluster_fixture.h"

namespace cairn {
namespace {

class WhereTest : public ClusterFixture {
 protected:
  void SetUp() override {
    Build(3, 3);
    MakeDirectory(kRootInode);
    MakeDirectory(InodeId(2));
    AddEntry(kRootInode, "dir", InodeId(2));
    MakeFile(InodeId(3), 10u << 20);
    AddEntry(InodeId(2), "file", InodeId(3));
  }
  void MakeDirectory(InodeId inode) {
    v1::InodeRecord record;
    record.mutable_attributes()->set_inode(inode.value);
    record.mutable_attributes()->set_mode(S_IFDIR | 0755);
    state_.Put(schema::InodeKey(inode), record);
  }
  void MakeFile(InodeId inode, uint64_t size) {
    v1::InodeRecord record;
    record.mutable_attributes()->set_inode(inode.value);
    record.mutable_attributes()->set_mode(S_IFREG | 0644);
    record.mutable_attributes()->set_size(size);
    record.mutable_file()->mutable_layout()->set_pool(1);
    record.mutable_file()->mutable_layout()->set_generation(1);
    record.mutable_file()->mutable_layout()->set_chunk_size(1u << 20);
    v1::ChunkRun& run = *record.mutable_file()->add_runs();
    run.set_first(2);
    run.set_count(3);
    state_.Put(schema::InodeKey(inode), record);
  }
  void AddEntry(InodeId parent, const std::string& name, InodeId inode) {
    v1::DentryRecord entry;
    entry.set_inode(inode.value);
    entry.set_name(name);
    state_.Put(schema::DentryKey(parent, name), entry);
  }
  // Directory 2 keeps two copies, in chunks of 4 MiB.
  void SetPolicy() {
    v1::Command command;
    command.mutable_set_layout()->set_inode(2);
    command.mutable_set_layout()->set_copies(2);
    command.mutable_set_layout()->set_chunk_size(4u << 20);
    ASSERT_THAT(StatusOfPropose(std::move(command)), IsOk());
  }
  Result<v1::WhereResponse> Where(const std::string& path) {
    v1::WhereRequest request;
    request.set_path(path);
    return FindWhere(request, *state_.View(), *Map());
  }
};

TEST_F(WhereTest, ListsEveryChunkOfAFileWithItsMembers) {
  const auto where = Where("/dir/file");
  ASSERT_THAT(where, IsOk());
  ASSERT_EQ(where->chunks_size(), 10);
  EXPECT_EQ(where->chunks(0).members_size(), 3);
  EXPECT_FALSE(where->chunks(1).written());
  EXPECT_TRUE(where->chunks(2).written());
  EXPECT_TRUE(where->chunks(4).written());
  EXPECT_FALSE(where->chunks(5).written());
  EXPECT_EQ(where->servers_size(), 3);
  EXPECT_EQ(Where("//dir/./file/")->attributes().inode(), 3u);
}

TEST_F(WhereTest, AnswersByInodeToo) {
  v1::WhereRequest request;
  request.set_inode(3);
  EXPECT_EQ(FindWhere(request, *state_.View(), *Map())->chunks_size(), 10);
}

TEST_F(WhereTest, ListsAtMostTenThousandChunks) {
  MakeFile(InodeId(4), uint64_t{1} << 62);
  v1::WhereRequest request;
  request.set_inode(4);
  EXPECT_EQ(FindWhere(request, *state_.View(), *Map())->chunks_size(), kMaxChunksListed);
}

TEST_F(WhereTest, ADirectoryHasNoChunks) {
  EXPECT_EQ(Where("/dir")->chunks_size(), 0);
  EXPECT_EQ(Where("/")->attributes().inode(), 1u);
}

TEST_F(WhereTest, AFileTellsItsOwnLayoutWhateverItsDirectorySays) {
  SetPolicy();
  const auto where = Where("/dir/file");
  ASSERT_THAT(where, IsOk());
  EXPECT_EQ(where->copies(), 3u);
  EXPECT_EQ(where->layout().chunk_size(), 1u << 20);
  EXPECT_FALSE(where->has_policy());
}

TEST_F(WhereTest, ADirectoryTellsWhatANewFileGets) {
  const auto given = Where("/dir");
  EXPECT_EQ(given->copies(), 3u);
  EXPECT_EQ(given->layout().pool(), 1u);
  EXPECT_EQ(given->layout().chunk_size(), kDefaultChunkSize);
  EXPECT_FALSE(given->has_policy());
  SetPolicy();
  const auto set = Where("/dir");
  EXPECT_EQ(set->copies(), 2u);
  EXPECT_EQ(set->layout().chunk_size(), 4u << 20);
  EXPECT_EQ(set->policy().pool(), 2u);
  EXPECT_EQ(Where("/")->copies(), 3u);
}

TEST_F(WhereTest, ABadPathIsNamed) {
  EXPECT_THAT(Where("/nothing"), StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(Where("/dir/file/below"), StatusIs(ErrorCode::kNotDirectory));
  EXPECT_THAT(Where("relative"), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Where("/dir/../dir"), StatusIs(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace cairn
