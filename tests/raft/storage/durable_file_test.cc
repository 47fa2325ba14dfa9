#include "raft/storage/durable_file.h"

#include <gtest/gtest.h>

#include "common/faulty_file.h"
#include "tests/common/forgetful_files.h"
#include "tests/common/status_matchers.h"
#include "tests/raft/storage/watched_files.h"

namespace cairn {
namespace {

TEST(DurableFile, APathLiesInADirectory) {
  EXPECT_EQ(DirectoryOf("/a/b"), "/a");
  EXPECT_EQ(DirectoryOf("/a/b/"), "/a");
  EXPECT_EQ(DirectoryOf("/a"), "/");
  EXPECT_EQ(DirectoryOf("a"), ".");
}

TEST(DurableFile, ReplacingLeavesTheOldOrTheNewContentsAfterAPowerCut) {
  bool was_cut = true;
  for (uint64_t changes = 0; was_cut; ++changes) {
    for (uint64_t seed = 0; seed < 8; ++seed) {
      ForgetfulFiles disk;
      WatchedFiles files(disk);
      ASSERT_THAT(ReplaceDurably(files, "/d/f", "old"), IsOk());
      files.CutAfter(changes);
      const bool replaced = ReplaceDurably(files, "/d/f", "the new one").ok();
      was_cut = files.was_cut();
      EXPECT_EQ(replaced, !was_cut);
      std::mt19937_64 random(seed);
      disk.LosePower(random);
      const std::string contents = *LoadFile(disk, "/d/f");
      EXPECT_TRUE(contents == "the new one" || (!replaced && contents == "old")) << contents;
    }
  }
}

TEST(DurableFile, WhatACrashLeftAsideIsNotInTheWay) {
  ForgetfulFiles files;
  ASSERT_THAT(ReplaceFile(files, "/d/f.tmp", "something long that was left"), IsOk());
  ASSERT_THAT(ReplaceDurably(files, "/d/f", "short"), IsOk());
  EXPECT_EQ(*LoadFile(files, "/d/f"), "short");
}

// A full disk may say so only when it is asked to sync; what was written is lost all the same.
TEST(RuleM4, ASyncThatFailsIsADiskFailureWhateverItsCause) {
  for (uint32_t skip = 0; skip < 2; ++skip) {  // of the file, of the directory
    ForgetfulFiles disk;
    FaultPlan plan;
    auto files = MakeFaultyFileSystem(disk, plan);
    plan.Set({{.operation = FaultOperation::kSync, .kind = FaultKind::kNoSpace, .skip = skip,
               .times = 1}});
    EXPECT_THAT(ReplaceDurably(*files, "/d/f", "x"), StatusIs(ErrorCode::kDiskFailed));
  }
}

TEST(DurableFile, AFullDiskLeavesTheOldFileAndNothingAside) {
  ForgetfulFiles disk;
  FaultPlan plan;
  auto files = MakeFaultyFileSystem(disk, plan);
  ASSERT_THAT(ReplaceDurably(*files, "/d/f", "old"), IsOk());
  for (uint32_t skip = 0; skip < 3; ++skip) {  // truncate, write, rename
    plan.Set({{.operation = FaultOperation::kWrite, .kind = FaultKind::kNoSpace, .skip = skip,
               .times = 1}});
    EXPECT_THAT(ReplaceDurably(*files, "/d/f", "new"), StatusIs(ErrorCode::kNoSpace));
    EXPECT_EQ(*LoadFile(disk, "/d/f"), "old");
    EXPECT_EQ(disk.List("/d")->size(), skip < 2 ? 1u : 2u);
    (void)disk.Remove("/d/f.tmp").ok();
  }
}

}  // namespace
}  // namespace cairn
