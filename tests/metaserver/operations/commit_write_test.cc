#include "tests/metaserver/operations/namespace.h"

namespace cairn::testing {

namespace {

class CommitWriteTest : public NamespaceTest {};
CAIRN_OVER_BOTH_STORES(CommitWriteTest);

TEST_P(CommitWriteTest, RuleC10RunsAreMergedSortedAndNotAdjacent) {
  fs_.MakeFile("/x");
  fs_.Commit("/x", 10u << 20, {{7, 2}}, 0);
  fs_.Commit("/x", 10u << 20, {{0, 1}, {3, 1}}, 0);
  EXPECT_EQ(fs_.Runs("/x"), "0+1 3+1 7+2");
  fs_.Commit("/x", 10u << 20, {{1, 2}}, 0);
  EXPECT_EQ(fs_.Runs("/x"), "0+4 7+2");
  fs_.Commit("/x", 10u << 20, {{2, 8}}, 0);
  EXPECT_EQ(fs_.Runs("/x"), "0+10");
}

TEST_P(CommitWriteTest, SizeOnlyGrowsAndTheSumOfSizesFollows) {
  fs_.MakeFile("/x");
  fs_.Commit("/x", 500, {{0, 1}}, 0);
  fs_.Commit("/x", 100, {{0, 1}}, 0);
  EXPECT_EQ(fs_.Stat("/x").size(), 500u);
  EXPECT_EQ(fs_.State().file_bytes(), 500u);
}

TEST_P(CommitWriteTest, NothingNewChangesNothing) {
  fs_.MakeFile("/x");
  fs_.Commit("/x", 500, {{0, 1}}, 0);
  const uint64_t version = fs_.Stat("/x").version();
  EXPECT_EQ(fs_.Commit("/x", 500, {{0, 1}}, 0), Code::kOk);
  EXPECT_EQ(fs_.Stat("/x").version(), version);
}

TEST_P(CommitWriteTest, DataOfAUserTakesSetIdBitsAway) {
  fs_.MakeFile("/x");
  fs_.Chmod("/x", 06755);
  fs_.Commit("/x", 500, {{0, 1}}, 0);
  EXPECT_EQ(fs_.Mode("/x"), 06755u);
  v1::Command by_a_user;
  by_a_user.mutable_commit_write()->set_inode(fs_.Resolve("/x").value);
  by_a_user.mutable_commit_write()->set_clear_set_id(true);
  EXPECT_EQ(fs_.Run(by_a_user), Code::kOk);
  EXPECT_EQ(fs_.Mode("/x"), 0755u);
}

TEST_P(CommitWriteTest, NonsenseIsRefused) {
  fs_.MakeFile("/x");
  fs_.MakeDirectory("/dir");
  EXPECT_EQ(fs_.Commit("/x", 1, {{0, 0}}, 0), Code::kInvalidArgument);
  EXPECT_EQ(fs_.Commit("/x", 1, {{UINT32_MAX, 2}}, 0), Code::kFileTooBig);
  EXPECT_EQ(fs_.Commit("/x", 1, {{0, 1}}, 1), Code::kInvalidArgument);  // a future generation
  EXPECT_EQ(fs_.Commit("/dir", 1, {{0, 1}}, 0), Code::kIsDirectory);
}

}  // namespace

}  // namespace cairn::testing
