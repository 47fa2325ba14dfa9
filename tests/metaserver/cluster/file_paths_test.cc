#include "metaserver/cluster/file_paths.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "metaserver/store/schema.h"
#include "tests/metaserver/cluster/fake_state.h"

namespace cairn {
namespace {

class FilePathsTest : public testing::Test {
 protected:
  void Add(uint64_t parent, const std::string& name, uint64_t inode, bool directory = false) {
    v1::DentryRecord entry;
    entry.set_inode(inode);
    entry.set_name(name);
    state_.Put(schema::DentryKey(InodeId(parent), name), entry);
    v1::InodeRecord record;
    record.mutable_attributes()->set_mode(directory ? S_IFDIR : S_IFREG);
    if (directory) record.set_parent(parent);
    state_.Put(schema::InodeKey(InodeId(inode)), record);
  }
  std::string PathOf(uint64_t inode, const char* code = "MISSING",
                     size_t most_entries = kMostEntriesSearched) {
    std::vector<v1::ChunkFinding> findings(1);
    findings[0].set_inode(inode);
    findings[0].set_code(code);
    AddPaths(*state_.View(), cut_short_, findings, most_entries);
    return findings[0].path();
  }
  FakeState state_;
  std::set<InodeId> cut_short_;
};

TEST_F(FilePathsTest, TellsThePathFromTheRoot) {
  Add(1, "top", 5);
  Add(1, "dir", 10, true);
  Add(10, "sub", 11, true);
  Add(11, "file", 12);
  EXPECT_EQ(PathOf(5), "/top");
  EXPECT_EQ(PathOf(12), "/dir/sub/file");
  EXPECT_EQ(PathOf(77), "");
}

TEST_F(FilePathsTest, AnOrphanHasNoPath) {
  Add(1, "top", 5);
  EXPECT_EQ(PathOf(5, "ORPHAN"), "");
}

TEST_F(FilePathsTest, SearchesNoMoreEntriesThanItMay) {
  Add(1, "dir", 10, true);
  Add(10, "file", 12);
  EXPECT_EQ(PathOf(12, "MISSING", 2), ".../file") << "the directory was not found";
  EXPECT_EQ(PathOf(12, "MISSING", 1), "");
  EXPECT_EQ(PathOf(12, "MISSING", 3), "/dir/file");
}

TEST_F(FilePathsTest, OfALongPathTheEndIsTold) {
  uint64_t parent = 1;
  for (uint64_t inode = 10; inode < 15; ++inode, parent = inode - 1) {
    Add(parent, std::string(100, static_cast<char>('a' + inode - 10)), inode, true);
  }
  Add(parent, "file", 20);
  EXPECT_EQ(PathOf(20), ".../" + std::string(100, 'd') + "/" + std::string(100, 'e') + "/file");
  Add(1, std::string(255, 'x'), 21);
  EXPECT_EQ(PathOf(21), "...");
}

TEST_F(FilePathsTest, DirectoriesThatLeadInACircleEnd) {
  Add(11, "a", 10, true);
  Add(10, "b", 11, true);
  Add(10, "file", 12);
  EXPECT_EQ(PathOf(12).substr(0, 4), ".../");
}

TEST_F(FilePathsTest, BytesThatAreNoTextBecomeQuestionMarks) {
  Add(1, "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", 5);
  EXPECT_EQ(PathOf(5), "/caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
  Add(1, "a\x01\xff\xc3(\xed\xa0\x80\xc0\xaf\xe2\x82", 6);
  EXPECT_EQ(PathOf(6), "/a" + std::string(3, '?') + "(" + std::string(7, '?'));
}

TEST_F(FilePathsTest, TheLastFindingOfAFileThatWasCutShortSaysSo) {
  cut_short_.insert(InodeId(5));
  Add(1, "top", 5);
  std::vector<v1::ChunkFinding> findings(3);
  for (v1::ChunkFinding& finding : findings) finding.set_inode(5);
  findings[2].set_inode(6);
  AddPaths(*state_.View(), cut_short_, findings);
  EXPECT_FALSE(findings[0].and_more());
  EXPECT_TRUE(findings[1].and_more());
  EXPECT_EQ(findings[1].path(), "/top");
  EXPECT_FALSE(findings[2].and_more());
}

}  // namespace
}  // namespace cairn
