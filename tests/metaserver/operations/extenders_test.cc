#include "metaserver/operations/extenders.h"

#include "tests/metaserver/operations/extending.h"

namespace cairn::testing {

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ExtendersTest : public ExtendingTest {};
CAIRN_OVER_BOTH_STORES(ExtendersTest);

TEST_P(ExtendersTest, RuleL5ASessionThatEndsIsCutOffAtTheCommittedSize) {
  fs_.InSession(first_);
  EXPECT_EQ(fs_.Extend("/x", 2, 4), Code::kOk);
  EXPECT_THAT(fs_.Extenders("/x"), ElementsAre(first_));
  EXPECT_EQ(fs_.CloseSession(first_), Code::kOk);
  EXPECT_EQ(fs_.Cuts("/x"), fmt::format("1:{}", kSize));
  EXPECT_EQ(Generation(), 1u);
  EXPECT_EQ(fs_.Stat("/x").size(), kSize);
  EXPECT_EQ(fs_.Runs("/x"), "0+3");
  EXPECT_EQ(fs_.TrimRuns("/x"), "2+4");  // wherever it may have written
  EXPECT_THAT(fs_.Extenders("/x"), IsEmpty());
}

TEST_P(ExtendersTest, RuleL5ACommitThatComesAfterTheEndShowsNothing) {
  fs_.InSession(first_);
  fs_.Extend("/x", 2, 4);
  fs_.CloseSession(first_);
  EXPECT_EQ(fs_.Commit("/x", 5 * kMiB, {{3, 2}}, 0), Code::kUnknownSession);
  fs_.InSession(0);
  EXPECT_EQ(fs_.Commit("/x", 5 * kMiB, {{3, 2}}, 0), Code::kOk);
  EXPECT_EQ(fs_.Stat("/x").size(), kSize);
}

TEST_P(ExtendersTest, RuleL5WhoMakesAFileExtendsItFromTheBeginning) {
  fs_.InSession(first_);
  fs_.MakeFile("/new");
  EXPECT_THAT(fs_.Extenders("/new"), ElementsAre(first_));
  fs_.CloseSession(first_);
  EXPECT_EQ(fs_.Cuts("/new"), "1:0");
  EXPECT_EQ(fs_.TrimRuns("/new"), fmt::format("0+{}", kChunksOfNewFile));
}

TEST_P(ExtendersTest, AFileMadeForReadingIsNotExtended) {
  v1::Command command;
  v1::CreateRequest& create = *command.mutable_create();
  create.mutable_id()->set_session(first_);
  create.mutable_id()->set_sequence(1);
  create.set_parent(kRootInode.value);
  create.set_name("read");
  create.set_flags(O_RDONLY);
  EXPECT_EQ(fs_.Run(command), Code::kOk);
  EXPECT_THAT(fs_.Extenders("/read"), IsEmpty());
}

TEST_P(ExtendersTest, WhatIsCommittedIsNotCut) {
  fs_.InSession(first_);
  fs_.Extend("/x", 2, 4);
  EXPECT_EQ(fs_.CommitLast("/x", 5 * kMiB, {{3, 2}}, 0), Code::kOk);
  EXPECT_THAT(fs_.Extenders("/x"), IsEmpty());
  fs_.CloseSession(first_);
  EXPECT_EQ(fs_.Cuts("/x"), "");
  EXPECT_EQ(fs_.Stat("/x").size(), 5 * kMiB);
}

TEST_P(ExtendersTest, ACommitThatIsNotTheLastKeepsTheRow) {
  fs_.InSession(first_);
  fs_.Extend("/x", 2, 4);
  fs_.Commit("/x", 3 * kMiB, {{2, 1}}, 0);
  EXPECT_THAT(fs_.Extenders("/x"), ElementsAre(first_));
  fs_.CloseSession(first_);
  EXPECT_EQ(fs_.Cuts("/x"), fmt::format("1:{}", 3 * kMiB));
  EXPECT_EQ(fs_.TrimRuns("/x"), "3+3");
}

TEST_P(ExtendersTest, TheLastCommitEndsItAlsoIfItHasNothingNew) {
  fs_.InSession(first_);
  fs_.Extend("/x", 2, 4);
  EXPECT_EQ(fs_.CommitLast("/x", kSize, {}, 0), Code::kOk);
  EXPECT_THAT(fs_.Extenders("/x"), IsEmpty());
}

// What was acknowledged to a living writer, and is not committed, must not be lost by the cut.
TEST_P(ExtendersTest, RuleL5TheCutWaitsForALivingExtender) {
  fs_.InSession(first_);
  fs_.Extend("/x", 2, 2);
  fs_.InSession(second_);
  fs_.Extend("/x", 4, 4);
  fs_.CloseSession(first_);
  EXPECT_EQ(fs_.Cuts("/x"), "");
  EXPECT_THAT(fs_.Extenders("/x"), ElementsAre(first_, second_));
  EXPECT_EQ(fs_.CommitLast("/x", 5 * kMiB, {{4, 1}}, 0), Code::kOk);
  EXPECT_EQ(fs_.Stat("/x").size(), 5 * kMiB);
  EXPECT_EQ(fs_.Runs("/x"), "0+3 4+1");
  EXPECT_EQ(fs_.Cuts("/x"), fmt::format("1:{}", 5 * kMiB));  // for the one that is gone
  EXPECT_EQ(fs_.TrimRuns("/x"), "5+3");
  EXPECT_THAT(fs_.Extenders("/x"), IsEmpty());
}

TEST_P(ExtendersTest, RuleL5BothGoneIsOneCut) {
  fs_.InSession(first_);
  fs_.Extend("/x", 2, 2);
  fs_.InSession(second_);
  fs_.Extend("/x", 7, 1);
  fs_.CloseSession(second_);
  fs_.CloseSession(first_);
  EXPECT_EQ(fs_.Cuts("/x"), fmt::format("1:{}", kSize));
  EXPECT_EQ(fs_.TrimRuns("/x"), "2+2 7+1");
}

TEST_P(ExtendersTest, ATruncationTrimsWhatExtendersMayHaveWritten) {
  fs_.InSession(first_);
  fs_.Extend("/x", 6, 2);
  fs_.Truncate("/x", kMiB);
  EXPECT_EQ(fs_.TrimRuns("/x"), "1+2 6+2");
  EXPECT_THAT(fs_.Extenders("/x"), ElementsAre(first_));
}

TEST_P(ExtendersTest, RuleC11ChunksOfADeadExtenderGoWithTheFile) {
  fs_.InSession(first_);
  fs_.MakeFile("/new");
  const InodeId inode = fs_.Resolve("/new");
  fs_.HeldBy({first_});
  fs_.Unlink("/new");
  fs_.CloseSession(first_);
  ASSERT_TRUE(fs_.Find<v1::OrphanRecord>(schema::OrphanKey(inode)).has_value());
  const auto left = fs_.Find<v1::InodeRecord>(schema::InodeKey(inode));
  EXPECT_EQ(RunsText(left->file().runs()), fmt::format("0+{}", kChunksOfNewFile));
  EXPECT_FALSE(fs_.Find<v1::ExtendRecord>(schema::ExtendKey(inode)).has_value());
}

TEST_P(ExtendersTest, ARemovedFileLeavesNoRow) {
  fs_.InSession(first_);
  fs_.MakeFile("/new");
  const InodeId inode = fs_.Resolve("/new");
  fs_.Unlink("/new");  // held by nobody
  EXPECT_FALSE(fs_.Find<v1::ExtendRecord>(schema::ExtendKey(inode)).has_value());
  EXPECT_TRUE(fs_.Find<v1::OrphanRecord>(schema::OrphanKey(inode)).has_value());
}

}  // namespace

}  // namespace cairn::testing
