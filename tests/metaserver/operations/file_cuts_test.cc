#include <random>

#include "metaserver/operations/file_cuts.h"
#include "tests/metaserver/operations/namespace.h"
#include "tests/metaserver/seed.h"

namespace cairn::testing {

namespace {

class FileCutsTest : public NamespaceTest {};
CAIRN_OVER_BOTH_STORES(FileCutsTest);

constexpr uint64_t kMiB = 1u << 20;  // a chunk

TEST_P(FileCutsTest, RuleC9AShrinkTakesAGenerationAndCutsTheRuns) {
  fs_.MakeFile("/x");
  fs_.Commit("/x", 8 * kMiB, {{0, 8}}, 0);
  EXPECT_EQ(fs_.Truncate("/x", 2 * kMiB + 5), Code::kOk);
  EXPECT_EQ(fs_.Inode("/x").file().generation(), 1u);
  EXPECT_EQ(fs_.Cuts("/x"), fmt::format("1:{}", 2 * kMiB + 5));
  EXPECT_EQ(fs_.Runs("/x"), "0+3");
  auto trim = fs_.Find<v1::TrimRecord>(schema::TrimKey(fs_.Resolve("/x")));
  ASSERT_TRUE(trim.has_value());
  EXPECT_EQ(trim->generation(), 1u);
  EXPECT_EQ(RunsText(trim->runs()), "2+6");
}

TEST_P(FileCutsTest, RuleC9AGrowthIsNoCut) {
  fs_.MakeFile("/x");
  EXPECT_EQ(fs_.Truncate("/x", 100), Code::kOk);
  EXPECT_EQ(fs_.Cuts("/x"), "");
  EXPECT_EQ(fs_.Inode("/x").file().generation(), 0u);
  EXPECT_EQ(fs_.Stat("/x").size(), 100u);
  EXPECT_EQ(fs_.State().file_bytes(), 100u);
}

TEST_P(FileCutsTest, RuleC9LengthsGrowWithGenerations) {
  fs_.MakeFile("/x");
  fs_.Truncate("/x", 1000);
  fs_.Truncate("/x", 100);
  fs_.Truncate("/x", 900);
  fs_.Truncate("/x", 500);
  EXPECT_EQ(fs_.Cuts("/x"), "1:100 2:500");
  fs_.Truncate("/x", 300);
  EXPECT_EQ(fs_.Cuts("/x"), "1:100 3:300");
  fs_.Truncate("/x", 50);
  EXPECT_EQ(fs_.Cuts("/x"), "4:50");
}

TEST_P(FileCutsTest, RuleC9ALateCommitIsClippedAtTheCut) {
  fs_.MakeFile("/x");
  fs_.Truncate("/x", 8 * kMiB);
  fs_.Truncate("/x", 3 * kMiB);
  EXPECT_EQ(fs_.Commit("/x", 6 * kMiB, {{1, 5}}, 0), Code::kOk);
  EXPECT_EQ(fs_.Stat("/x").size(), 3 * kMiB);
  EXPECT_EQ(fs_.Runs("/x"), "1+2");
  EXPECT_EQ(fs_.Commit("/x", 6 * kMiB, {{5, 1}}, 1), Code::kOk);  // written after the cut
  EXPECT_EQ(fs_.Stat("/x").size(), 6 * kMiB);
  EXPECT_EQ(fs_.Runs("/x"), "1+2 5+1");
}

TEST_P(FileCutsTest, RuleC9ACutThatIsFinishedStillClipsLateCommits) {
  fs_.MakeFile("/x");
  fs_.Truncate("/x", 8 * kMiB);
  fs_.Truncate("/x", 3 * kMiB);
  fs_.FinishTrim("/x", 1);
  EXPECT_EQ(fs_.Commit("/x", 6 * kMiB, {{0, 6}}, 0), Code::kOk);
  EXPECT_EQ(fs_.Stat("/x").size(), 3 * kMiB);
  EXPECT_EQ(fs_.Runs("/x"), "0+3");
}

TEST_P(FileCutsTest, RuleC9ACommitOlderThanWhatIsRememberedIsRefused) {
  fs_.MakeFile("/x");
  for (uint64_t cut = 1; cut <= 12; ++cut) {
    fs_.Truncate("/x", 8 * kMiB);
    fs_.Truncate("/x", cut * 100);
    fs_.FinishTrim("/x", cut);
  }
  const v1::Attributes before = fs_.Stat("/x");
  EXPECT_EQ(fs_.Commit("/x", 6 * kMiB, {{0, 6}}, 0), Code::kStaleGeneration);
  EXPECT_EQ(fs_.Runs("/x"), "");
  EXPECT_EQ(fs_.Stat("/x").version(), before.version());
  EXPECT_EQ(fs_.Commit("/x", 6 * kMiB, {{0, 6}}, 11), Code::kOk);
  EXPECT_EQ(fs_.Runs("/x"), "0+1");
}

TEST_P(FileCutsTest, RuleC9TooManyUntrimmedCutsMakeTheNextOneWait) {
  fs_.MakeFile("/x");
  for (uint64_t cut = 1; cut <= static_cast<uint64_t>(kMaxCuts); ++cut) {
    fs_.Truncate("/x", 8 * kMiB);
    ASSERT_EQ(fs_.Truncate("/x", cut), Code::kOk);
  }
  fs_.Truncate("/x", 8 * kMiB);
  EXPECT_EQ(fs_.Truncate("/x", 65), Code::kBusy);
  EXPECT_EQ(fs_.Stat("/x").size(), 8 * kMiB);
  fs_.FinishTrim("/x", static_cast<uint64_t>(kMaxCuts));
  EXPECT_EQ(fs_.Truncate("/x", 65), Code::kOk);
}

TEST_P(FileCutsTest, SizesBeyondTheLastChunkAreRefused) {
  fs_.MakeFile("/x");
  EXPECT_EQ(fs_.Truncate("/x", (uint64_t{1} << 32) * kMiB), Code::kFileTooBig);
  EXPECT_EQ(fs_.Truncate("/x", UINT64_MAX), Code::kFileTooBig);
  EXPECT_EQ(fs_.Commit("/x", UINT64_MAX, {}, 0), Code::kFileTooBig);
}

TEST_P(FileCutsTest, OnlyRegularFilesAreTruncated) {
  fs_.MakeDirectory("/dir");
  fs_.MakeSymlink("/link", "dir");
  EXPECT_EQ(fs_.Truncate("/dir", 0), Code::kIsDirectory);
  EXPECT_EQ(fs_.Truncate("/link", 0), Code::kInvalidArgument);
}

TEST_P(FileCutsTest, RuleC9WhatChunksAreToldGrowsInGenerationAndLength) {
  fs_.MakeFile("/x");
  std::mt19937_64 random(TestSeed());
  for (uint64_t cut = 1; cut <= 300; ++cut) {
    fs_.Truncate("/x", 8 * kMiB);
    if (fs_.Truncate("/x", random() % 1000) == Code::kBusy) fs_.FinishTrim("/x", cut - 1);
    if (random() % 3 == 0) fs_.FinishTrim("/x", fs_.Inode("/x").file().generation());
    const auto known = KnownCuts(fs_.Inode("/x"));
    ASSERT_LE(known.size(), 64);
    for (int i = 1; i < known.size(); ++i) {
      ASSERT_GT(known[i].generation(), known[i - 1].generation());
      ASSERT_GT(known[i].length(), known[i - 1].length());
    }
  }
}

}  // namespace

}  // namespace cairn::testing
