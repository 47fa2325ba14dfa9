#include "metaserver/operations/pools.h"
#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

constexpr uint32_t k4Mebi = 4u << 20;

// The cluster gives three copies and chunks of 1 MiB.
class SetLayoutTest : public NamespaceTest {
 protected:
  SetLayoutTest() { fs_.MakeDirectory("/d"); }

  Code SetLayout(const std::string& path, uint32_t copies, uint32_t chunk_size,
                 bool inherit = false) {
    v1::Command command;
    v1::SetLayoutCommand& set = *command.mutable_set_layout();
    set.set_inode(fs_.Resolve(path).value);
    set.set_copies(copies);
    set.set_chunk_size(chunk_size);
    set.set_inherit(inherit);
    return fs_.Run(command);
  }
  v1::Layout LayoutOf(const std::string& path) { return fs_.Inode(path).file().layout(); }
  uint32_t CopiesOf(const std::string& path) {
    return fs_.Find<v1::Pool>(schema::PoolKey(PoolId(LayoutOf(path).pool())))->copies();
  }
  std::string Policy(const std::string& path) {
    return fs_.Inode(path).layout_policy().ShortDebugString();
  }
};
CAIRN_OVER_BOTH_STORES(SetLayoutTest);

TEST_P(SetLayoutTest, NewFilesGetItAndExistingOnesKeepTheirs) {
  fs_.MakeFile("/d/old");
  ASSERT_EQ(SetLayout("/d", 2, k4Mebi), Code::kOk);
  fs_.MakeFile("/d/new");
  fs_.MakeNode("/d/node", S_IFREG | 0644);
  EXPECT_EQ(CopiesOf("/d/old"), 3u);
  EXPECT_EQ(LayoutOf("/d/old").chunk_size(), kMinChunkSize);
  for (const char* path : {"/d/new", "/d/node"}) {
    EXPECT_EQ(CopiesOf(path), 2u) << path;
    EXPECT_EQ(LayoutOf(path).chunk_size(), k4Mebi) << path;
  }
}

TEST_P(SetLayoutTest, NewSubdirectoriesInheritAndExistingOnesDoNot) {
  fs_.MakeDirectory("/d/old");
  ASSERT_EQ(SetLayout("/d", 1, 0), Code::kOk);
  fs_.MakeDirectory("/d/new");
  fs_.MakeDirectory("/d/new/deep");
  fs_.MakeFile("/d/new/deep/file");
  fs_.MakeFile("/d/old/file");
  EXPECT_EQ(CopiesOf("/d/new/deep/file"), 1u);
  EXPECT_EQ(CopiesOf("/d/old/file"), 3u);
  // It is their own now: a change above does not reach them.
  ASSERT_EQ(SetLayout("/d", 2, 0), Code::kOk);
  fs_.MakeFile("/d/new/second");
  EXPECT_EQ(CopiesOf("/d/new/second"), 1u);
}

TEST_P(SetLayoutTest, APoolIsMadeOncePerNumberOfCopies) {
  const uint64_t version = fs_.State().map_version();
  ASSERT_EQ(SetLayout("/d", 2, 0), Code::kOk);
  const auto made = fs_.Find<v1::Pool>(schema::PoolKey(PoolId(2)));
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->copies(), 2u);
  EXPECT_EQ(made->min_active(), 1u);
  EXPECT_EQ(made->group_count(), 0u);
  EXPECT_EQ(made->chunk_size(), kMinChunkSize);
  EXPECT_EQ(fs_.State().map_version(), version + 1);
  fs_.MakeDirectory("/e");
  ASSERT_EQ(SetLayout("/e", 2, 0), Code::kOk);
  EXPECT_EQ(Policy("/e"), "pool: 2");
  EXPECT_EQ(fs_.State().map_version(), version + 1);
  ASSERT_EQ(SetLayout("/e", 3, 0), Code::kOk);
  EXPECT_EQ(Policy("/e"), "pool: 1");
  ASSERT_EQ(SetLayout("/e", 9, 0), Code::kOk);
  EXPECT_EQ(fs_.Find<v1::Pool>(schema::PoolKey(PoolId(3)))->min_active(), 5u);
}

TEST_P(SetLayoutTest, WhatIsNotSaidStaysAsItIs) {
  ASSERT_EQ(SetLayout("/d", 0, k4Mebi), Code::kOk);
  EXPECT_EQ(Policy("/d"), "pool: 1 chunk_size: 4194304");
  ASSERT_EQ(SetLayout("/d", 1, 0), Code::kOk);
  EXPECT_EQ(Policy("/d"), "pool: 2 chunk_size: 4194304");
  ASSERT_EQ(SetLayout("/d", 0, kMaxChunkSize), Code::kOk);
  EXPECT_EQ(Policy("/d"), "pool: 2 chunk_size: 67108864");
}

TEST_P(SetLayoutTest, InheritGivesBackWhatTheClusterGives) {
  ASSERT_EQ(SetLayout("/d", 1, k4Mebi), Code::kOk);
  ASSERT_EQ(SetLayout("/d", 0, 0, true), Code::kOk);
  EXPECT_FALSE(fs_.Inode("/d").has_layout_policy());
  fs_.MakeFile("/d/file");
  EXPECT_EQ(CopiesOf("/d/file"), 3u);
  EXPECT_EQ(LayoutOf("/d/file").chunk_size(), kMinChunkSize);
}

TEST_P(SetLayoutTest, RenamesAndHardLinksLeaveLayoutsAlone) {
  fs_.MakeDirectory("/e");
  fs_.MakeDirectory("/e/sub");
  fs_.MakeFile("/e/file");
  fs_.MakeFile("/e/linked");
  ASSERT_EQ(SetLayout("/d", 1, 0), Code::kOk);
  ASSERT_EQ(fs_.Rename("/e/file", "/d/file"), Code::kOk);
  ASSERT_EQ(fs_.Rename("/e/sub", "/d/sub"), Code::kOk);
  ASSERT_EQ(fs_.Link("/e/linked", "/d/linked"), Code::kOk);
  EXPECT_EQ(CopiesOf("/d/file"), 3u);
  EXPECT_EQ(CopiesOf("/d/linked"), 3u);
  EXPECT_FALSE(fs_.Inode("/d/sub").has_layout_policy());
}

TEST_P(SetLayoutTest, ADirectoryThatChangesShowsIt) {
  const int64_t before = fs_.Stat("/d").change_time().seconds();
  ASSERT_EQ(SetLayout("/d", 1, 0), Code::kOk);
  EXPECT_GT(fs_.Stat("/d").change_time().seconds(), before);
  EXPECT_EQ(fs_.Stat("/d").modify_time().seconds(), before);
}

TEST_P(SetLayoutTest, WhatMakesNoSenseIsRefusedAndMakesNoPool) {
  fs_.MakeFile("/file");
  EXPECT_EQ(SetLayout("/file", 2, 0), Code::kNotDirectory);
  EXPECT_EQ(SetLayout("/d", 0, 0), Code::kInvalidArgument);
  EXPECT_EQ(SetLayout("/d", 2, 0, true), Code::kInvalidArgument);
  EXPECT_EQ(SetLayout("/d", kMaxCopies + 1, 0), Code::kInvalidArgument);
  EXPECT_EQ(SetLayout("/d", 2, 3u << 20), Code::kInvalidArgument);
  EXPECT_EQ(SetLayout("/d", 2, kMinChunkSize / 2), Code::kInvalidArgument);
  EXPECT_EQ(SetLayout("/d", 2, kMaxChunkSize * 2), Code::kInvalidArgument);
  v1::Command nowhere;
  nowhere.mutable_set_layout()->set_inode(4711);
  nowhere.mutable_set_layout()->set_copies(2);
  EXPECT_EQ(fs_.Run(nowhere), Code::kNotFound);
  EXPECT_FALSE(fs_.Inode("/d").has_layout_policy());
  EXPECT_FALSE(fs_.Find<v1::Pool>(schema::PoolKey(PoolId(2))).has_value());
}

}  // namespace

}  // namespace cairn::testing
