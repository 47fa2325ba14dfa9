#include "common/durable_leveldb.h"

#include <gtest/gtest.h>
#include <leveldb/write_batch.h>

#include <filesystem>
#include <map>
#include <random>

#include "common/file.h"
#include "common/leveldb_log.h"
#include "tests/common/forgetful_files.h"
#include "tests/common/status_matchers.h"
#include "tests/common/temporary_directory.h"

namespace cairn {
namespace {

constexpr int kRows = 30;

// A database of kRows rows written one by one, copied as it lies on disk while it is open, so that
// its rows are in a write-ahead log only.
class DurableLevelDbTest : public ::testing::Test {
 protected:
  std::unique_ptr<DurableLevelDb> Open(const std::string& directory, bool unclean = false) {
    Result<std::unique_ptr<DurableLevelDb>> opened =
        DurableLevelDb::Open(directory, {.unclean_boot = unclean});
    EXPECT_THAT(opened, IsOk());
    return opened.has_value() ? std::move(*opened) : nullptr;
  }
  static void Put(DurableLevelDb& db, int row) {
    leveldb::WriteBatch batch;
    batch.Put(Key(row), std::string(2000, 'v'));
    EXPECT_THAT(db.Write(&batch, false), IsOk());
  }
  static std::string Key(int row) { return fmt::format("row{:04}", row); }

  // Rows 0..n-1 and no other: n. Anything else is not a prefix: -1.
  static int PrefixLength(DurableLevelDb& db) {
    std::unique_ptr<leveldb::Iterator> rows(db.db().NewIterator({}));
    int count = 0;
    for (rows->SeekToFirst(); rows->Valid(); rows->Next(), ++count) {
      if (rows->key().ToString() != Key(count)) return -1;
    }
    return count;
  }

  std::string CopyWithRowsInLogs() {
    std::unique_ptr<DurableLevelDb> db = Open(directory_ / "db");
    for (int row = 0; row < kRows; ++row) Put(*db, row);
    std::string copy = directory_ / "copy";
    std::filesystem::copy(directory_ / "db", copy);
    return copy;
  }
  static std::vector<std::string> Logs(const std::string& directory) {
    std::vector<std::string> logs;
    std::vector<std::string> names = *PosixFiles().List(directory);
    for (const std::string& name : names) {
      if (name.ends_with(".log")) logs.push_back(directory + "/" + name);
    }
    return logs;
  }
  static void Overwrite(const std::string& path, uint64_t at, std::string_view bytes) {
    auto file = PosixFiles().Open(path, OpenMode::kReadWrite);
    ASSERT_THAT(file, IsOk());
    ASSERT_THAT((*file)->Write(at, std::as_bytes(std::span(bytes.data(), bytes.size()))), IsOk());
  }

  TemporaryDirectory directory_;
};

TEST_F(DurableLevelDbTest, KeepsRowsAcrossACleanClose) {
  std::unique_ptr<DurableLevelDb> db = Open(directory_ / "db");
  for (int row = 0; row < kRows; ++row) Put(*db, row);
  db.reset();
  db = Open(directory_ / "db", /*unclean=*/true);
  EXPECT_EQ(PrefixLength(*db), kRows);
}

TEST_F(DurableLevelDbTest, AWholeLogIsKeptAfterAnUncleanBoot) {
  std::unique_ptr<DurableLevelDb> db = Open(CopyWithRowsInLogs(), /*unclean=*/true);
  EXPECT_EQ(PrefixLength(*db), kRows);
}

using RuleM2Database = DurableLevelDbTest;

TEST_F(RuleM2Database, AHoleLosesWhatComesAfterItAndNothingBefore) {
  std::string pristine = CopyWithRowsInLogs();
  uint64_t log_bytes = std::filesystem::file_size(Logs(pristine).at(0));
  uint64_t row_bytes = log_bytes / kRows;
  for (uint64_t at = 100; at + 4096 < log_bytes; at += 4096) {
    std::string copy = directory_ / fmt::format("hole{}", at);
    std::filesystem::copy(pristine, copy);
    Overwrite(Logs(copy).at(0), at, std::string(512, '\0'));
    std::unique_ptr<DurableLevelDb> db = Open(copy, /*unclean=*/true);
    ASSERT_NE(db, nullptr);
    int kept = PrefixLength(*db);
    EXPECT_LE(kept, static_cast<int>((at + 512) / row_bytes)) << at;
    EXPECT_GE(kept, static_cast<int>(at / row_bytes) - 1) << at;
  }
}

TEST_F(RuleM2Database, ATornTailIsCut) {
  std::string copy = CopyWithRowsInLogs();
  std::string log = Logs(copy).at(0);
  std::filesystem::resize_file(log, std::filesystem::file_size(log) - 1);
  EXPECT_EQ(PrefixLength(*Open(copy, /*unclean=*/true)), kRows - 1);
}

// What a rotation without a sync would leave: an earlier log with a hole, a later one whole.
TEST_F(RuleM2Database, LogsBehindAHoleAreDropped) {
  std::string copy = CopyWithRowsInLogs();
  std::string first = Logs(copy).at(0);
  std::string bytes = *LoadFile(PosixFiles(), first);
  uint64_t number = std::stoull(first.substr(first.rfind('/') + 1));
  LevelDbLogReader reader(bytes);
  for (int row = 0; row < 10; ++row) ASSERT_TRUE(reader.Next());
  // The successor must begin at a block of its own, so it repeats the whole log: ten rows twice.
  std::string later = copy + fmt::format("/{:06}.log", number + 1);
  ASSERT_THAT(ReplaceFile(PosixFiles(), later, bytes), IsOk());
  std::filesystem::resize_file(first, reader.good_bytes() - 1);
  EXPECT_EQ(PrefixLength(*Open(copy, /*unclean=*/true)), 9);
  EXPECT_FALSE(PosixFiles().Exists(later));
}

// An earlier log that ends short at a record's border: only the sequence numbers tell.
TEST_F(RuleM2Database, ALogThatDoesNotFollowItsPredecessorIsCutToNothing) {
  std::string copy = CopyWithRowsInLogs();
  std::string first = Logs(copy).at(0);
  std::string bytes = *LoadFile(PosixFiles(), first);
  uint64_t number = std::stoull(first.substr(first.rfind('/') + 1));
  LevelDbLogReader reader(bytes);
  for (int row = 0; row < 10; ++row) ASSERT_TRUE(reader.Next());
  std::string later = copy + fmt::format("/{:06}.log", number + 1);
  ASSERT_THAT(ReplaceFile(PosixFiles(), later, bytes), IsOk());
  std::filesystem::resize_file(first, reader.good_bytes());
  EXPECT_EQ(PrefixLength(*Open(copy, /*unclean=*/true)), 10);
}

std::string ManifestOf(const std::string& directory) {
  std::string current = *LoadFile(PosixFiles(), directory + "/CURRENT");
  current.pop_back();
  return directory + "/" + current;
}

TEST_F(RuleM2Database, AManifestRecordThatWasBeingWrittenIsCutOff) {
  std::string pristine = CopyWithRowsInLogs();
  std::string bytes = *LoadFile(PosixFiles(), ManifestOf(pristine));
  const auto length = static_cast<uint8_t>(bytes[4]);
  ASSERT_EQ(bytes[5], 0);
  // LevelDB by itself refuses only the first: the size of a record is there, its bytes are not.
  for (const std::string& torn : {bytes.substr(0, 7) + std::string(length, '\0'),
                                  std::string("\x11\x22\x33\x44\x09", 5),
                                  std::string("\x11\x22\x33\x44\x09\0\x01 half a", 13),
                                  std::string(300, '\0'), std::string("x") + bytes.substr(1, 9)}) {
    std::string copy = directory_ / fmt::format("torn{}", torn.size());
    std::filesystem::copy(pristine, copy);
    Overwrite(ManifestOf(copy), bytes.size(), torn);
    Result<std::unique_ptr<DurableLevelDb>> db = DurableLevelDb::Open(copy, {.unclean_boot = true});
    ASSERT_THAT(db, IsOk()) << torn.size();
    EXPECT_EQ(PrefixLength(**db), kRows);
  }
}

TEST_F(RuleM2Database, ADamagedManifestIsRefusedNotCut) {
  std::string copy = CopyWithRowsInLogs();
  std::string bytes = *LoadFile(PosixFiles(), ManifestOf(copy));
  Overwrite(ManifestOf(copy), bytes.size(), "a torn record" + bytes);
  EXPECT_THAT(DurableLevelDb::Open(copy, {.unclean_boot = true}),
              StatusIs(ErrorCode::kCorruption));
  EXPECT_EQ(LoadFile(PosixFiles(), ManifestOf(copy))->size(), 2 * bytes.size() + 13);
  Overwrite(ManifestOf(copy), 3, "?");
  EXPECT_THAT(DurableLevelDb::Open(copy, {.unclean_boot = true}),
              StatusIs(ErrorCode::kCorruption));
}

// File systems keep names in order, or all that were there when a file was synced; nothing says so.
TEST_F(RuleM2Database, OpensWhicheverUnsyncedNamesThePowerCutLeaves) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    ForgetfulFiles disk;
    FileEnv env(disk);
    std::mt19937_64 random(seed);
    for (int round = 0; round < 4; ++round) {
      auto db = DurableLevelDb::Open("/db", {.write_buffer_bytes = 64 << 10,
                                             .unclean_boot = true,
                                             .env = &env});
      ASSERT_THAT(db, IsOk()) << "seed " << seed << " round " << round;
      ASSERT_GE(PrefixLength(**db), round * 40);
      for (int row = round * 40; row < (round + 1) * 40; ++row) Put(**db, row);
      leveldb::WriteBatch nothing;
      ASSERT_THAT((*db)->Write(&nothing, /*sync=*/true), IsOk());
      db->reset();
      disk.LosePower(random, ForgetfulFiles::UnsyncedNames::kEachByItself);
    }
  }
}

TEST_F(RuleM2Database, WithoutTheCutDamageIsRefusedNotSkipped) {
  std::string copy = CopyWithRowsInLogs();
  Overwrite(Logs(copy).at(0), 5000, std::string(512, 'x'));
  EXPECT_THAT(DurableLevelDb::Open(copy, {}), StatusIs(ErrorCode::kCorruption));
}

TEST_F(DurableLevelDbTest, ManyLogsAndTablesAreReadBack) {
  DurableLevelDbOptions options{.write_buffer_bytes = 64 << 10, .unclean_boot = true};
  for (int round = 0; round < 3; ++round) {
    auto db = DurableLevelDb::Open(directory_ / "db", options);
    ASSERT_THAT(db, IsOk());
    EXPECT_EQ(PrefixLength(**db), round * 200);
    for (int row = round * 200; row < (round + 1) * 200; ++row) Put(**db, row);
  }
}

TEST_F(DurableLevelDbTest, ErrorsKeepTheirKind) {
  EXPECT_THAT(FromLevelDb(leveldb::Status::NotFound("x"), "get"), StatusIs(ErrorCode::kNotFound));
  EXPECT_THAT(FromLevelDb(leveldb::Status::Corruption("x"), "get"),
              StatusIs(ErrorCode::kCorruption));
  EXPECT_THAT(FromLevelDb(leveldb::Status::IOError("x", "No space left on device"), "put"),
              StatusIs(ErrorCode::kNoSpace));
  EXPECT_THAT(FromLevelDb(leveldb::Status::IOError("x"), "put"), StatusIs(ErrorCode::kIoError));
  EXPECT_THAT(FromLevelDb(leveldb::Status::OK(), "put"), IsOk());
}

}  // namespace
}  // namespace cairn
