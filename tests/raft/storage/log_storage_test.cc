#include "raft/storage/log_storage.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "common/faulty_file.h"
#include "tests/common/forgetful_files.h"
#include "tests/common/status_matchers.h"

namespace cairn {
namespace {

constexpr LogStorageOptions kSmall{.segment_bytes = 4096};

class LogStorageTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<LogStorage>> TryOpen(LogIndex applied = LogIndex(0)) {
    return LogStorage::Open("/log", *faulty_, applied, kSmall);
  }
  std::unique_ptr<LogStorage> Open() {
    Result<std::unique_ptr<LogStorage>> storage = TryOpen();
    EXPECT_THAT(storage, IsOk());
    return storage.has_value() ? std::move(*storage) : nullptr;
  }
  static Status Append(LogStorage& storage, size_t count, size_t command_bytes = 50) {
    std::vector<LogEntry> entries;
    for (size_t i = 1; i <= count; ++i) {
      LogIndex index(storage.last_index().value + i);
      std::string command = fmt::format("c{} ", index);
      command.resize(std::max(command.size(), command_bytes), '.');
      entries.push_back({storage.term(), index, std::move(command)});
    }
    return storage.Append(entries);
  }
  static void ExpectEntries(LogStorage& storage, LogIndex first, LogIndex last) {
    EXPECT_EQ(storage.last_index(), last);
    for (LogIndex next = first; next <= last;) {
      Result<std::vector<LogEntry>> entries = storage.Read(next, 500);
      ASSERT_THAT(entries, IsOk());
      for (const LogEntry& entry : *entries) {
        EXPECT_EQ(entry.index, next);
        EXPECT_TRUE(entry.command.starts_with(fmt::format("c{} ", next)));
        ++next.value;
      }
    }
  }
  std::string PathOf(LogIndex first) { return "/log/" + SegmentName(first); }
  void Flip(const std::string& path, size_t at) {
    std::string bytes = *LoadFile(files_, path);
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    ASSERT_THAT(ReplaceFile(files_, path, bytes), IsOk());
  }

  ForgetfulFiles files_;
  FaultPlan plan_;
  std::unique_ptr<FileSystem> faulty_ = MakeFaultyFileSystem(files_, plan_);
};

TEST_F(LogStorageTest, KeepsEntriesOverManySegments) {
  std::unique_ptr<LogStorage> storage = Open();
  for (int i = 0; i < 100; ++i) ASSERT_THAT(Append(*storage, 3), IsOk());
  EXPECT_GT(storage->segment_count(), 5u);
  ExpectEntries(*storage, LogIndex(1), LogIndex(300));
  storage = Open();
  ExpectEntries(*storage, LogIndex(1), LogIndex(300));
}

TEST_F(LogStorageTest, ABatchLargerThanASegmentGetsOneOfItsOwn) {
  std::unique_ptr<LogStorage> storage = Open();
  ASSERT_THAT(Append(*storage, 2, 10'000), IsOk());
  ASSERT_THAT(Append(*storage, 1), IsOk());
  storage = Open();
  ExpectEntries(*storage, LogIndex(1), LogIndex(3));
}

using RuleM4Storage = LogStorageTest;

TEST_F(RuleM4Storage, EachStartTakesADurableIncarnationAndTerm) {
  std::mt19937_64 random(1);
  for (uint64_t start = 1; start <= 5; ++start) {
    std::unique_ptr<LogStorage> storage = Open();
    EXPECT_EQ(storage->incarnation(), Incarnation(start));
    EXPECT_EQ(storage->term(), Term(start));
    storage.reset();
    files_.LosePower(random);
  }
}

TEST_F(RuleM4Storage, AFailedSyncIsForEver) {
  std::unique_ptr<LogStorage> storage = Open();
  plan_.Set({{.operation = FaultOperation::kSync, .times = 1}});
  EXPECT_THAT(Append(*storage, 1), StatusIs(ErrorCode::kDiskFailed));
  EXPECT_THAT(Append(*storage, 1), StatusIs(ErrorCode::kDiskFailed));
  EXPECT_THAT(storage->Close(), StatusIs(ErrorCode::kDiskFailed));
}

TEST_F(RuleM4Storage, ADirectoryThatLostItsLogIsRefused) {
  std::unique_ptr<LogStorage> storage = Open();
  ASSERT_THAT(Append(*storage, 3), IsOk());
  ASSERT_THAT(storage->Close(), IsOk());
  ASSERT_THAT(files_.Remove(PathOf(LogIndex(1))), IsOk());
  EXPECT_THAT(TryOpen(), StatusIs(ErrorCode::kCorruption));
  ASSERT_THAT(files_.Remove("/log/facts"), IsOk());
  EXPECT_THAT(TryOpen(LogIndex(3)), StatusIs(ErrorCode::kCorruption));
}

TEST_F(LogStorageTest, FullDiskRefusesABatchAndGoesOnWhenThereIsRoom) {
  for (uint32_t skip = 0; skip < 12; ++skip) {
    std::unique_ptr<LogStorage> storage = Open();
    ASSERT_NE(storage, nullptr);
    plan_.Set({{.operation = FaultOperation::kWrite, .kind = FaultKind::kNoSpace, .skip = skip,
                .times = 1}});
    Status status;
    while (status.ok()) status = Append(*storage, 1, 900);
    EXPECT_THAT(status, StatusIs(ErrorCode::kNoSpace));
    EXPECT_THAT(Append(*storage, 2, 900), IsOk());
    ExpectEntries(*storage, LogIndex(1), storage->last_index());
    plan_.Clear();
  }
}

TEST_F(LogStorageTest, ATailThatCannotBeCutBackIsADiskFailure) {
  std::unique_ptr<LogStorage> storage = Open();
  plan_.Set({{.operation = FaultOperation::kWrite, .kind = FaultKind::kNoSpace}});
  EXPECT_THAT(Append(*storage, 1), StatusIs(ErrorCode::kDiskFailed));
}

using RuleM5 = LogStorageTest;

TEST_F(RuleM5, TornTailIsCutAtEveryByteOfTheLastRecord) {
  std::unique_ptr<LogStorage> storage = Open();
  ASSERT_THAT(Append(*storage, 1), IsOk());
  ASSERT_THAT(Append(*storage, 1), IsOk());
  std::string whole = *LoadFile(files_, PathOf(LogIndex(1)));
  const size_t record = log_format::RecordBytes(50);
  const size_t begin = log_format::kSegmentHeaderBytes + record;
  for (size_t kept = 0; kept < log_format::kRecordHeaderBytes + 50; ++kept) {
    std::string torn = whole;
    torn.replace(begin + kept, record - kept, record - kept, '\0');
    ASSERT_THAT(ReplaceFile(files_, PathOf(LogIndex(1)), torn), IsOk());
    storage = Open();
    ASSERT_NE(storage, nullptr) << kept;
    // A last byte that was zero anyway makes the record whole.
    EXPECT_EQ(storage->last_index(), LogIndex(torn == whole ? 2 : 1)) << kept;
    ASSERT_THAT(Append(*storage, 1), IsOk());
    ExpectEntries(*storage, LogIndex(1), LogIndex(torn == whole ? 3 : 2));
    ASSERT_THAT(SaveLogFacts(files_, "/log/facts", {Incarnation(1), Term(1), LogIndex(0)}), IsOk());
  }
}

TEST_F(RuleM5, DamageInTheMiddleIsRefusedWithFileAndOffset) {
  std::unique_ptr<LogStorage> storage = Open();
  for (int i = 0; i < 10; ++i) ASSERT_THAT(Append(*storage, 1), IsOk());
  size_t third = log_format::kSegmentHeaderBytes + 2 * log_format::RecordBytes(50);
  Flip(PathOf(LogIndex(1)), third + 40);
  Result<std::unique_ptr<LogStorage>> opened = TryOpen();
  ASSERT_THAT(opened, StatusIs(ErrorCode::kCorruption));
  EXPECT_NE(opened.error().message().find(fmt::format("{} at {}", PathOf(LogIndex(1)), third)),
            std::string::npos)
      << opened.error().message();
}

TEST_F(RuleM5, DamageInAnOlderSegmentIsRefused) {
  std::unique_ptr<LogStorage> storage = Open();
  while (storage->segment_count() < 3) ASSERT_THAT(Append(*storage, 1), IsOk());
  size_t last_in_first = log_format::kSegmentHeaderBytes +
                         (4096 - log_format::kSegmentHeaderBytes) / log_format::RecordBytes(50) *
                             log_format::RecordBytes(50) - 20;
  Flip(PathOf(LogIndex(1)), last_in_first);
  EXPECT_THAT(TryOpen(), StatusIs(ErrorCode::kCorruption));
}

TEST_F(RuleM5, DamageBelowTheSyncedMarkIsRefused) {
  std::unique_ptr<LogStorage> storage = Open();
  ASSERT_THAT(Append(*storage, 1), IsOk());
  ASSERT_THAT(storage->Close(), IsOk());
  Flip(PathOf(LogIndex(1)), log_format::kSegmentHeaderBytes + 40);
  EXPECT_THAT(TryOpen(), StatusIs(ErrorCode::kCorruption));
}

TEST_F(RuleM5, DamageBelowTheAppliedIndexIsRefused) {
  std::unique_ptr<LogStorage> storage = Open();
  ASSERT_THAT(Append(*storage, 1), IsOk());
  Flip(PathOf(LogIndex(1)), log_format::kSegmentHeaderBytes + 40);
  EXPECT_THAT(TryOpen(LogIndex(1)), StatusIs(ErrorCode::kCorruption));
}

// Sectors of one unsynced write reach the disk in any order: a later record may be whole.
TEST_F(RuleM5, ABatchTornInItsMiddleIsATornTail) {
  std::unique_ptr<LogStorage> storage = Open();
  ASSERT_THAT(Append(*storage, 1), IsOk());
  ASSERT_THAT(Append(*storage, 5), IsOk());
  size_t third = log_format::kSegmentHeaderBytes + 2 * log_format::RecordBytes(50);
  Flip(PathOf(LogIndex(1)), third + 40);
  storage = Open();
  ASSERT_NE(storage, nullptr);
  ExpectEntries(*storage, LogIndex(1), LogIndex(2));
}

TEST_F(RuleM5, AMissingSegmentIsRefused) {
  std::unique_ptr<LogStorage> storage = Open();
  while (storage->segment_count() < 3) ASSERT_THAT(Append(*storage, 1), IsOk());
  std::vector<std::string> names = *files_.List("/log");
  ASSERT_THAT(files_.Remove("/log/" + names[1]), IsOk());
  EXPECT_THAT(TryOpen(), StatusIs(ErrorCode::kCorruption));
}

using RuleM2Storage = LogStorageTest;

TEST_F(RuleM2Storage, CompactionKeepsWhatIsAboveTheIndex) {
  std::unique_ptr<LogStorage> storage = Open();
  while (storage->segment_count() < 5) ASSERT_THAT(Append(*storage, 1), IsOk());
  LogIndex last = storage->last_index();
  LogIndex through(last.value / 2);
  ASSERT_THAT(storage->Compact(through), IsOk());
  EXPECT_GT(storage->first_index(), LogIndex(1));
  EXPECT_LE(storage->first_index().value, through.value + 1);
  storage = Open();
  ExpectEntries(*storage, storage->first_index(), last);
  ASSERT_THAT(storage->Compact(last), IsOk());
  EXPECT_EQ(storage->segment_count(), 1u);
  EXPECT_EQ(storage->last_index(), last);
}

TEST_F(RuleM2Storage, CompactedSegmentsAreUsedAgain) {
  std::unique_ptr<LogStorage> storage = Open();
  for (int i = 0; i < 500; ++i) {
    ASSERT_THAT(Append(*storage, 1), IsOk());
    ASSERT_THAT(storage->Compact(storage->last_index()), IsOk());
  }
  EXPECT_LE(files_.List("/log")->size(), 3u);  // one segment, one spare, the facts
  storage = Open();
  ExpectEntries(*storage, storage->first_index(), LogIndex(500));
}

TEST(RuleM1, WhatWasAppendedSurvivesEveryPowerCut) {
  const char* given = std::getenv("CAIRN_SEED");
  uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  SCOPED_TRACE("CAIRN_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  ForgetfulFiles files;
  FaultPlan plan;
  std::unique_ptr<FileSystem> faulty = MakeFaultyFileSystem(files, plan);
  std::vector<std::string> promised;  // by index; what Append answered ok for
  for (int life = 0; life < 150; ++life) {
    plan.Clear();
    Result<std::unique_ptr<LogStorage>> storage =
        LogStorage::Open("/log", *faulty, LogIndex(0), kSmall);
    ASSERT_THAT(storage, IsOk()) << "life " << life;
    LogIndex last = (*storage)->last_index();
    ASSERT_GE(last.value, promised.size()) << "life " << life;
    for (LogIndex next = (*storage)->first_index(); next <= last;) {
      Result<std::vector<LogEntry>> entries = (*storage)->Read(next, 1 << 20);
      ASSERT_THAT(entries, IsOk());
      for (const LogEntry& entry : *entries) {
        // An entry that was never answered may be there; from now on it counts.
        if (next.value > promised.size()) promised.push_back(entry.command);
        ASSERT_EQ(entry.command, promised[next.value - 1]) << "life " << life;
        ++next.value;
      }
    }
    FaultOperation operation = random() % 2 == 0 ? FaultOperation::kWrite : FaultOperation::kSync;
    FaultKind kind = random() % 2 == 0 ? FaultKind::kTorn : FaultKind::kNoSpace;
    plan.Set({{.operation = operation, .kind = kind, .where = {},
               .skip = static_cast<uint32_t>(random() % 40), .times = 1}});
    for (int round = 0; round < 30; ++round) {
      std::vector<LogEntry> entries;
      for (uint64_t i = 1; i <= 1 + random() % 4; ++i) {
        entries.push_back({(*storage)->term(), LogIndex((*storage)->last_index().value + i),
                           std::string(random() % 1500, static_cast<char>('a' + random() % 26))});
      }
      Status status = (*storage)->Append(entries);
      if (status.code() == ErrorCode::kDiskFailed) break;
      if (!status.ok()) continue;
      for (LogEntry& entry : entries) promised.push_back(std::move(entry.command));
    }
    if (random() % 3 == 0) (void)(*storage)->Compact(LogIndex(promised.size() * 2 / 3)).ok();
    storage->reset();
    if (random() % 4 != 0) files.LosePower(random);
  }
}

}  // namespace
}  // namespace cairn
