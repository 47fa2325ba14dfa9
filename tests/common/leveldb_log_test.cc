#include "common/leveldb_log.h"

#include <gtest/gtest.h>
#include <leveldb/db.h>
#include <leveldb/write_batch.h>

#include <memory>
#include <vector>

#include "common/file.h"
#include "tests/common/status_matchers.h"
#include "tests/common/temporary_directory.h"

namespace cairn {
namespace {

// Logs that LevelDB itself wrote.
class LevelDbLogTest : public ::testing::Test {
 protected:
  LevelDbLogTest() {
    leveldb::Options options;
    options.create_if_missing = true;
    leveldb::DB* db = nullptr;
    EXPECT_TRUE(leveldb::DB::Open(options, directory_.path(), &db).ok());
    db_.reset(db);
  }
  void Put(size_t value_bytes) {
    leveldb::WriteBatch batch;
    batch.Put("key" + std::to_string(puts_++), std::string(value_bytes, 'v'));
    batch.Delete("other");
    EXPECT_TRUE(db_->Write({}, &batch).ok());
  }
  std::string LoadNamed(std::string_view part) {
    std::vector<std::string> names = *PosixFiles().List(directory_.path());
    for (const std::string& name : names) {
      if (name.find(part) != std::string::npos) return *LoadFile(PosixFiles(), directory_ / name);
    }
    return {};
  }
  static std::vector<BatchRange> Ranges(LevelDbLogReader& reader) {
    std::vector<BatchRange> ranges;
    while (std::optional<std::string> record = reader.Next()) {
      ranges.push_back(*ReadBatchRange(*record));
    }
    return ranges;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<leveldb::DB> db_;
  int puts_ = 0;
};

TEST_F(LevelDbLogTest, ReadsEveryRecordAcrossBlocks) {
  for (size_t bytes : {10, 40'000, 0, 100'000, 7, 32'700, 1}) Put(bytes);
  std::string log = LoadNamed(".log");
  LevelDbLogReader reader(log);
  std::vector<BatchRange> ranges = Ranges(reader);
  ASSERT_EQ(ranges.size(), 7u);
  EXPECT_TRUE(reader.at_end());
  for (size_t i = 0; i < ranges.size(); ++i) {
    EXPECT_EQ(ranges[i].sequence, 1 + 2 * i);
    EXPECT_EQ(ranges[i].count, 2u);
  }
}

TEST_F(LevelDbLogTest, StopsAtTheRecordThatHoldsAFlippedBit) {
  for (int i = 0; i < 5; ++i) Put(100);
  std::string log = LoadNamed(".log");
  size_t record_bytes = log.size() / 5;
  for (size_t at = 0; at < log.size(); ++at) {
    std::string damaged = log;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    LevelDbLogReader reader(damaged);
    EXPECT_EQ(Ranges(reader).size(), at / record_bytes) << at;
    EXPECT_EQ(reader.good_bytes(), at / record_bytes * record_bytes);
  }
}

TEST_F(LevelDbLogTest, StopsAtZerosAndAtAnIncompleteRecord) {
  for (int i = 0; i < 3; ++i) Put(50'000);
  std::string log = LoadNamed(".log");
  std::string padded = log + std::string(100'000, '\0');
  LevelDbLogReader zeros(padded);
  EXPECT_EQ(Ranges(zeros).size(), 3u);
  EXPECT_EQ(zeros.good_bytes(), log.size());
  EXPECT_FALSE(zeros.at_end());
  LevelDbLogReader cut(std::string_view(log).substr(0, log.size() - 1));
  EXPECT_EQ(Ranges(cut).size(), 2u);
}

TEST_F(LevelDbLogTest, ManifestNamesTheLogInUse) {
  for (int i = 0; i < 3; ++i) Put(100);
  db_->CompactRange(nullptr, nullptr);  // moves on to another log
  std::string manifest = LoadNamed("MANIFEST");
  std::optional<uint64_t> number = ManifestLogNumber(manifest);
  ASSERT_TRUE(number);
  char name[32];
  std::snprintf(name, sizeof(name), "%06llu.log", static_cast<unsigned long long>(*number));
  EXPECT_TRUE(PosixFiles().Exists(directory_ / name)) << name;
  EXPECT_FALSE(ManifestLogNumber("garbage"));
}

TEST_F(LevelDbLogTest, ATornRecordIsToldFromDamageByWhatFollows) {
  for (int row = 0; row < 3; ++row) Put(100);
  const std::string log = LoadNamed(".log");
  LevelDbLogReader whole(log);
  ASSERT_TRUE(whole.Next());
  const size_t first_end = whole.good_bytes();
  EXPECT_TRUE(whole.AnotherRecordBegins()) << "the second";

  std::string torn = log.substr(0, first_end) + log.substr(first_end, 50);
  LevelDbLogReader tail(torn);
  while (tail.Next()) {
  }
  EXPECT_FALSE(tail.at_end());
  EXPECT_FALSE(tail.AnotherRecordBegins());

  std::string damaged = log;
  damaged[first_end + 20] ^= 1;
  LevelDbLogReader hole(damaged);
  while (hole.Next()) {
  }
  EXPECT_EQ(hole.good_bytes(), first_end);
  EXPECT_TRUE(hole.AnotherRecordBegins());
}

}  // namespace
}  // namespace cairn
