#include "common/file_env.h"

#include <gtest/gtest.h>
#include <leveldb/write_batch.h>

#include <memory>
#include <random>

#include "common/durable_leveldb.h"
#include "common/fault_plan.h"
#include "common/faulty_file.h"
#include "tests/common/forgetful_files.h"
#include "tests/common/status_matchers.h"

namespace cairn {
namespace {

class FileEnvTest : public ::testing::Test {
 protected:
  FileEnvTest() { EXPECT_THAT(files_.MakeDirectory("/db"), IsOk()); }

  std::unique_ptr<leveldb::WritableFile> Create(const std::string& path) {
    leveldb::WritableFile* file = nullptr;
    EXPECT_TRUE(env_.NewWritableFile(path, &file).ok());
    return std::unique_ptr<leveldb::WritableFile>(file);
  }
  std::string Load(const std::string& path) {
    std::string bytes;
    EXPECT_TRUE(leveldb::ReadFileToString(&env_, path, &bytes).ok());
    return bytes;
  }
  Result<std::unique_ptr<DurableLevelDb>> Open(bool unclean_boot) {
    return DurableLevelDb::Open("/db", {.write_buffer_bytes = 64u << 10,
                                        .unclean_boot = unclean_boot,
                                        .env = &env_});
  }

  ForgetfulFiles files_;
  FileEnv env_{files_};
  std::mt19937_64 random_{1};
};

TEST_F(FileEnvTest, WhatIsAppendedIsThereAfterAFlushAndBeginsAnewWithANewFile) {
  auto file = Create("/db/a");
  ASSERT_TRUE(file->Append("hello ").ok());
  EXPECT_EQ(Load("/db/a"), "") << "still in the buffer";
  ASSERT_TRUE(file->Append("world").ok());
  ASSERT_TRUE(file->Flush().ok());
  EXPECT_EQ(Load("/db/a"), "hello world");
  Create("/db/a")->Append("x");
  EXPECT_EQ(Load("/db/a"), "x") << "written when it is closed";
  leveldb::WritableFile* more = nullptr;
  ASSERT_TRUE(env_.NewAppendableFile("/db/a", &more).ok());
  std::unique_ptr<leveldb::WritableFile>(more)->Append("y");
  EXPECT_EQ(Load("/db/a"), "xy");
}

TEST_F(FileEnvTest, AnAbsentFileIsToldFromABadDisk) {
  leveldb::SequentialFile* file = nullptr;
  EXPECT_TRUE(env_.NewSequentialFile("/db/none", &file).IsNotFound());
  FaultPlan plan;
  auto faulty = MakeFaultyFileSystem(files_, plan);
  FileEnv env(*faulty);
  plan.Set({{.operation = FaultOperation::kWrite, .kind = FaultKind::kNoSpace}});
  leveldb::WritableFile* full = nullptr;
  ASSERT_TRUE(env.NewWritableFile("/db/full", &full).ok());
  const std::unique_ptr<leveldb::WritableFile> owner(full);
  ASSERT_TRUE(full->Append("x").ok());
  EXPECT_THAT(FromLevelDb(full->Flush(), "flush"), StatusIs(ErrorCode::kNoSpace));
}

// A manifest that is on disk must not name a file that is not.
TEST_F(FileEnvTest, ASyncOfAManifestSyncsTheNamesBesideIt) {
  Create("/db/000005.ldb");
  auto manifest = Create("/db/MANIFEST-000004");
  ASSERT_TRUE(manifest->Sync().ok());
  files_.LosePower(random_);
  EXPECT_TRUE(env_.FileExists("/db/000005.ldb"));
}

TEST_F(FileEnvTest, ADatabaseLivesOnTheFilesGiven) {
  for (int round = 0; round < 3; ++round) {
    auto db = Open(/*unclean_boot=*/round > 0);
    ASSERT_THAT(db, IsOk());
    std::string value;
    const std::string last = std::to_string(round - 1);
    if (round > 0) {
      EXPECT_TRUE((*db)->db().Get({}, last, &value).ok()) << round;
    }
    for (int row = 0; row < 100; ++row) {
      leveldb::WriteBatch batch;
      batch.Put(std::to_string(round), std::string(3000, 'v'));
      ASSERT_THAT((*db)->Write(&batch, row == 99), IsOk());
    }
    db->reset();
    files_.LosePower(random_);
  }
}

TEST_F(FileEnvTest, ADatabaseIsRemovedFromTheFilesGiven) {
  auto db = Open(false);
  ASSERT_THAT(db, IsOk());
  (*db)->RemoveWhenClosed();
  db->reset();
  EXPECT_THAT(*files_.List("/db"), ::testing::IsEmpty());
}

}  // namespace
}  // namespace cairn
