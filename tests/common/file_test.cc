#include "common/file.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <random>

#include "common/faulty_file.h"
#include "tests/common/forgetful_files.h"
#include "tests/common/status_matchers.h"
#include "tests/common/temporary_directory.h"

namespace cairn {
namespace {

TEST(LoadFile, GivesTheWholeContents) {
  TemporaryDirectory directory;
  std::string contents(100'000, 'x');
  ASSERT_THAT(ReplaceFile(PosixFiles(), directory / "a", contents), IsOk());
  EXPECT_EQ(*LoadFile(PosixFiles(), directory / "a"), contents);
  EXPECT_THAT(LoadFile(PosixFiles(), directory / "b"), StatusIs(ErrorCode::kNotFound));
}

TEST(ReplaceFile, LeavesNothingBesideTheFile) {
  TemporaryDirectory directory;
  ASSERT_THAT(ReplaceFile(PosixFiles(), directory / "a", "one"), IsOk());
  ASSERT_THAT(ReplaceFile(PosixFiles(), directory / "a", ""), IsOk());
  EXPECT_EQ(*LoadFile(PosixFiles(), directory / "a"), "");
  EXPECT_EQ(*PosixFiles().List(directory.path()), std::vector<std::string>{"a"});
}

TEST(ReplaceFile, LeavesTheOldOrTheNewWholeWhateverFails) {
  for (FaultOperation operation :
       {FaultOperation::kOpen, FaultOperation::kWrite, FaultOperation::kSync}) {
    for (FaultKind kind : {FaultKind::kIoError, FaultKind::kTorn, FaultKind::kNoSpace}) {
      for (uint32_t skip = 0; skip < 3; ++skip) {
        TemporaryDirectory directory;
        ASSERT_THAT(ReplaceFile(PosixFiles(), directory / "a", "the old text"), IsOk());
        FaultPlan plan;
        std::unique_ptr<FileSystem> faulty = MakeFaultyFileSystem(PosixFiles(), plan);
        plan.Set({{.operation = operation, .kind = kind, .skip = skip, .times = 1}});
        Status status = ReplaceFile(*faulty, directory / "a", "the new text, longer");
        std::string now = *LoadFile(PosixFiles(), directory / "a");
        EXPECT_TRUE(now == "the new text, longer" || (!status.ok() && now == "the old text"));
        EXPECT_EQ(PosixFiles().List(directory.path())->size(), 1u);
      }
    }
  }
}

uint64_t Seed() {
  const char* given = std::getenv("CAIRN_SEED");
  uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  ::testing::Test::RecordProperty("seed", std::to_string(seed));
  return seed;
}

TEST(ReplaceFile, SurvivesAPowerCutOnceItReturned) {
  uint64_t seed = Seed();
  SCOPED_TRACE("CAIRN_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; ++round) {
    ForgetfulFiles files;
    std::string old_text(random() % 5000, 'o');
    std::string new_text(random() % 5000, 'n');
    ASSERT_THAT(ReplaceFile(files, "/d/a", old_text), IsOk());
    FaultPlan plan;
    std::unique_ptr<FileSystem> faulty = MakeFaultyFileSystem(files, plan);
    FaultOperation operation = random() % 2 == 0 ? FaultOperation::kWrite : FaultOperation::kSync;
    plan.Set({{.operation = operation, .skip = static_cast<uint32_t>(random() % 4)}});
    bool replaced = ReplaceFile(*faulty, "/d/a", new_text).ok();
    files.LosePower(random);
    std::string now = *LoadFile(files, "/d/a");
    EXPECT_TRUE(now == new_text || (!replaced && now == old_text)) << "round " << round;
  }
}

TEST(DirectoryLock, IsHeldOnceAndNamesItsHolder) {
  TemporaryDirectory directory;
  Result<std::unique_ptr<DirectoryLock>> first = DirectoryLock::Acquire(directory.path());
  ASSERT_THAT(first, IsOk());
  Result<std::unique_ptr<DirectoryLock>> second = DirectoryLock::Acquire(directory.path());
  ASSERT_THAT(second, StatusIs(ErrorCode::kBusy));
  EXPECT_NE(second.error().message().find(std::to_string(getpid())), std::string::npos);
  first->reset();
  EXPECT_THAT(DirectoryLock::Acquire(directory.path()), IsOk());
}

TEST(DirectoryLock, NeedsItsDirectory) {
  EXPECT_THAT(DirectoryLock::Acquire("/nonexistent"), StatusIs(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace cairn
