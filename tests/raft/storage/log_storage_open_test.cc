// What Open makes of a log that lost something (rules M2, M5).
#include <gtest/gtest.h>

#include "raft/storage/log_storage.h"
#include "raft/storage/log_survey.h"
#include "tests/raft/storage/log_words.h"

namespace cairn {
namespace {

const size_t kRecord = log_format::RecordBytes(50);

class LogStorageOpenTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<LogStorage>> Open(DamagePolicy policy, uint64_t applied = 0) {
    return LogStorage::Open("/log", files_, {.segment_bytes = 4096, .applied = LogIndex(applied),
                                             .on_damage = policy});
  }
  std::unique_ptr<LogStorage> OpenWhole(uint64_t applied = 0) {
    auto log = Open(DamagePolicy::kRefuse, applied);
    EXPECT_THAT(log, IsOk());
    return log.has_value() ? std::move(*log) : nullptr;
  }
  std::unique_ptr<LogStorage> Refetch(uint64_t applied = 0) {
    auto log = Open(DamagePolicy::kRefetch, applied);
    EXPECT_THAT(log, IsOk());
    return log.has_value() ? std::move(*log) : nullptr;
  }
  // A log of so many entries, 46 to a segment, one batch each.
  void MakeLog(uint64_t entries) { WriteEntries(*OpenWhole(), 1, entries, 1); }

  static constexpr uint64_t kPerSegment = 46;
  static uint64_t SegmentOf(uint64_t index) { return (index - 1) / kPerSegment * kPerSegment + 1; }
  static std::string PathOf(uint64_t first) { return "/log/" + SegmentName(LogIndex(first)); }
  static size_t OffsetOf(uint64_t index) {
    return log_format::kSegmentHeaderBytes + (index - SegmentOf(index)) * kRecord;
  }
  void Flip(const std::string& path, size_t at) {
    std::string bytes = *LoadFile(files_, path);
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    ASSERT_THAT(ReplaceFile(files_, path, bytes), IsOk());
  }
  void DamageEntry(uint64_t index) { Flip(PathOf(SegmentOf(index)), OffsetOf(index) + 40); }
  void DamageHeader(uint64_t first) { Flip(PathOf(first), 9); }
  void Zero(uint64_t first, size_t from) {
    std::string bytes = *LoadFile(files_, PathOf(first));
    std::fill(bytes.begin() + static_cast<ptrdiff_t>(from), bytes.end(), '\0');
    ASSERT_THAT(ReplaceFile(files_, PathOf(first), bytes), IsOk());
  }
  // The log now has entries [first, last], entries up to `lost` were there once; and so it is still
  // when opened again, and the entries that are fetched again stay.
  void ExpectCut(std::unique_ptr<LogStorage> log, uint64_t first, uint64_t last, uint64_t lost,
                 uint64_t applied = 0) {
    for (int open = 0; open < 2; ++open) {
      ASSERT_NE(log, nullptr);
      EXPECT_EQ(log->first_index(), LogIndex(first));
      EXPECT_EQ(log->last_index(), LogIndex(last));
      EXPECT_EQ(ReadAll(*log), Entries(first, last, 1));
      EXPECT_EQ(log->lost(), LogIndex(lost));
      EXPECT_EQ(log->MakeStartState({}).may_have_acknowledged, LogIndex(lost));
      log = OpenWhole(applied);
    }
    WriteEntries(*log, last + 1, last + 200, 2);
    EXPECT_EQ(log->lost(), LogIndex(lost));
    ASSERT_THAT(log->ForgetLost(), IsOk());
    log = OpenWhole(applied);
    EXPECT_EQ(log->lost(), LogIndex());
    EXPECT_EQ(log->last_index(), LogIndex(last + 200));
    EXPECT_EQ(*log->ReadEntries(LogIndex(last + 1), 1 << 20), Entries(last + 1, last + 200, 2));
  }

  ForgetfulFiles files_;
};

using RuleM5Open = LogStorageOpenTest;

TEST_F(RuleM5Open, ATornTailIsCutAtEveryByteOfTheLastRecord) {
  MakeLog(2);
  const std::string facts = *LoadFile(files_, "/log/facts");
  const std::string whole = *LoadFile(files_, PathOf(1));
  for (size_t kept = 0; kept < log_format::kRecordHeaderBytes + 50; ++kept) {
    std::string torn = whole;
    torn.replace(OffsetOf(2) + kept, kRecord - kept, kRecord - kept, '\0');
    ASSERT_THAT(ReplaceFile(files_, PathOf(1), torn), IsOk());
    std::unique_ptr<LogStorage> log = OpenWhole();
    ASSERT_NE(log, nullptr) << kept;
    EXPECT_EQ(log->last_index(), LogIndex(1)) << kept;
    EXPECT_EQ(log->lost(), LogIndex());
    WriteEntries(*log, 2, 2, 2);
    EXPECT_EQ(OpenWhole()->last_index(), LogIndex(2));
    ASSERT_THAT(ReplaceFile(files_, "/log/facts", facts), IsOk());
  }
}

// Sectors of one unsynced write reach the disk in any order: a later record may be whole.
TEST_F(RuleM5Open, ABatchTornInItsMiddleIsATornTail) {
  std::unique_ptr<LogStorage> log = OpenWhole();
  WriteEntries(*log, 1, 1, 1);
  WriteEntries(*log, 2, 6, 1, "c", 5);
  DamageEntry(3);
  EXPECT_EQ(ReadAll(*Refetch()), Entries(1, 2, 1));
}

TEST_F(RuleM5Open, DamageInTheMiddleIsRefusedWithFileAndOffset) {
  MakeLog(10);
  DamageEntry(3);
  const auto log = Open(DamagePolicy::kRefuse);
  ASSERT_THAT(log, StatusIs(ErrorCode::kCorruption));
  EXPECT_NE(log.error().message().find(fmt::format("{} at {}", PathOf(1), OffsetOf(3))),
            std::string::npos)
      << log.error().message();
}

TEST_F(RuleM5Open, DamageBelowTheSyncedMarkOrTheAppliedIndexIsRefused) {
  MakeLog(1);
  const std::string facts = *LoadFile(files_, "/log/facts");
  ASSERT_THAT(OpenWhole()->Close(), IsOk());
  DamageEntry(1);
  EXPECT_THAT(Open(DamagePolicy::kRefuse), StatusIs(ErrorCode::kCorruption));
  ASSERT_THAT(ReplaceFile(files_, "/log/facts", facts), IsOk());
  EXPECT_THAT(Open(DamagePolicy::kRefuse, 1), StatusIs(ErrorCode::kCorruption));
}

TEST_F(RuleM5Open, ALargerGroupCutsTheLogBeforeTheDamageAndFetchesTheRestAgain) {
  MakeLog(200);
  DamageEntry(60);
  ExpectCut(Refetch(), 1, 59, 200);
}

TEST_F(RuleM5Open, DamageInTheNewestSegmentIsCutToo) {
  MakeLog(200);
  DamageEntry(190);
  ExpectCut(Refetch(), 1, 189, 200);
}

TEST_F(RuleM5Open, DamageInTheFirstRecordLeavesAnEmptyLog) {
  MakeLog(30);
  DamageEntry(1);
  ExpectCut(Refetch(), 1, 0, 30);
}

TEST_F(RuleM5Open, ManyDamagedRecordsAreCutAtTheFirst) {
  MakeLog(200);
  for (uint64_t index : {20, 21, 90, 199}) DamageEntry(index);
  ExpectCut(Refetch(), 1, 19, 200);
}

TEST_F(RuleM5Open, ADamagedHeaderCostsItsSegment) {
  MakeLog(200);
  DamageHeader(SegmentOf(60));
  EXPECT_THAT(Open(DamagePolicy::kRefuse), StatusIs(ErrorCode::kCorruption));
  ExpectCut(Refetch(), 1, SegmentOf(60) - 1, 200);
}

TEST_F(RuleM5Open, ADamagedHeaderOfTheNewestSegmentDoesNotHideWhatWasThere) {
  MakeLog(200);
  DamageHeader(SegmentOf(200));
  ExpectCut(Refetch(), 1, SegmentOf(200) - 1, 200);
}

// Nothing tells how much there was: then it may have been as much as the file can hold.
TEST_F(RuleM5Open, ANewestSegmentThatWasWipedMayHaveBeenFull) {
  MakeLog(200);
  Zero(SegmentOf(200), 0);
  const auto log = Refetch();
  ASSERT_NE(log, nullptr);
  EXPECT_EQ(log->last_index().value, SegmentOf(200) - 1);
  EXPECT_GE(log->lost(), LogIndex(200));
}

TEST_F(RuleM5Open, AMissingSegmentIsDamageBeforeIt) {
  MakeLog(200);
  ASSERT_THAT(files_.Remove(PathOf(SegmentOf(60))), IsOk());
  EXPECT_THAT(Open(DamagePolicy::kRefuse), StatusIs(ErrorCode::kCorruption));
  ExpectCut(Refetch(), 1, SegmentOf(60) - 1, 200);
}

TEST_F(RuleM5Open, AMissingTailIsDamage) {
  MakeLog(200);
  ASSERT_THAT(OpenWhole()->Close(), IsOk());
  ASSERT_THAT(files_.Remove(PathOf(SegmentOf(200))), IsOk());
  EXPECT_THAT(Open(DamagePolicy::kRefuse), StatusIs(ErrorCode::kCorruption));
  ExpectCut(Refetch(), 1, SegmentOf(200) - 1, 200);
}

TEST_F(RuleM5Open, WhatIsLostIsNotForgottenByALaterLoss) {
  MakeLog(200);
  DamageEntry(100);
  WriteEntries(*Refetch(), 100, 150, 1);
  Flip(PathOf(100), log_format::kSegmentHeaderBytes + 20 * kRecord + 40);
  const auto log = Refetch();
  ASSERT_NE(log, nullptr);
  EXPECT_EQ(log->last_index(), LogIndex(119));
  EXPECT_EQ(log->lost(), LogIndex(200));
}

// The state has these entries: the log can do without them, and nothing needs fetching.
TEST_F(RuleM5Open, DamageInSegmentsThatAreAppliedCostsOnlyThem) {
  MakeLog(200);
  DamageEntry(60);
  EXPECT_THAT(Open(DamagePolicy::kRefuse, 150), StatusIs(ErrorCode::kCorruption));
  const uint64_t first = SegmentOf(60) + kPerSegment;
  ExpectCut(Refetch(150), first, 200, 0, 150);
  EXPECT_FALSE(files_.Exists(PathOf(1)));
  EXPECT_FALSE(files_.Exists(PathOf(SegmentOf(60))));
}

TEST_F(RuleM5Open, ADamagedHeaderOfAnAppliedSegmentCostsOnlyTheSegmentsUpToIt) {
  MakeLog(200);
  DamageHeader(SegmentOf(60));
  ExpectCut(Refetch(100), SegmentOf(60) + kPerSegment, 200, 0, 100);
}

using RuleM2Open = LogStorageOpenTest;

// After a snapshot was installed and before the log was reset.
TEST_F(RuleM2Open, AStateAheadOfTheLogCountsAsASnapshotAndLosesNothing) {
  MakeLog(100);
  ExpectCut(Refetch(500), 501, 500, 0, 500);
}

// Behind the last record lies what a recycled file held: entries that were replaced long ago.
TEST_F(RuleM2Open, WhatARecycledFileHeldIsNotTakenForLostEntries) {
  {
    std::unique_ptr<LogStorage> log = OpenWhole();
    WriteEntries(*log, 1, 200, 1);
    WriteEntries(*log, 100, 100, 2);  // the segments above become spare
    WriteEntries(*log, 101, 150, 2);
  }
  const auto log = Refetch(160);
  ASSERT_NE(log, nullptr);
  EXPECT_EQ(log->first_index(), LogIndex(161));
  EXPECT_EQ(log->lost(), LogIndex());
}

// One write, one sync: what is applied proves that all of its batch was on disk.
TEST_F(RuleM2Open, TheRestOfABatchThatIsPartlyAppliedIsLost) {
  {
    std::unique_ptr<LogStorage> log = OpenWhole();
    WriteEntries(*log, 1, 1, 1);
    WriteEntries(*log, 2, 8, 1, "c", 7);
  }
  DamageEntry(3);
  ExpectCut(Refetch(5), 6, 5, 8, 5);
}

TEST_F(RuleM2Open, ADamagedLogBehindItsStateBeginsAnew) {
  MakeLog(100);
  DamageEntry(98);
  ExpectCut(Refetch(100), 101, 100, 0, 100);
}

TEST_F(RuleM2Open, EntriesAboveTheStateThatLieBehindDamageAreLost) {
  MakeLog(100);
  DamageEntry(94);
  ExpectCut(Refetch(95), 96, 95, 100, 95);
}

TEST_F(RuleM2Open, AStateBehindTheLogsFirstEntryLosesTheLog) {
  {
    std::unique_ptr<LogStorage> log = OpenWhole();
    WriteEntries(*log, 1, 200, 1);
    ASSERT_THAT(log->Compact(LogIndex(150)), IsOk());
    ASSERT_GT(log->first_index(), LogIndex(31));
  }
  EXPECT_THAT(Open(DamagePolicy::kRefuse, 30), StatusIs(ErrorCode::kCorruption));
  ExpectCut(Refetch(30), 31, 30, 200, 30);
}

using RuleM4Open = LogStorageOpenTest;

TEST_F(RuleM4Open, ADirectoryThatLostItsLogIsRefused) {
  MakeLog(3);
  const std::string facts = *LoadFile(files_, "/log/facts");
  const std::string segment = *LoadFile(files_, PathOf(1));
  for (DamagePolicy policy : {DamagePolicy::kRefuse, DamagePolicy::kRefetch}) {
    ASSERT_THAT(files_.Remove(PathOf(1)), IsOk());
    EXPECT_THAT(Open(policy), StatusIs(ErrorCode::kCorruption));
    EXPECT_THAT(Open(policy, 3), StatusIs(ErrorCode::kCorruption));
    ASSERT_THAT(files_.Remove("/log/facts"), IsOk());
    EXPECT_THAT(Open(policy, 3), StatusIs(ErrorCode::kCorruption));
    EXPECT_FALSE(LogStorage::Exists(files_, "/log"));
    ASSERT_THAT(ReplaceFile(files_, PathOf(1), segment), IsOk());
    EXPECT_THAT(Open(policy), StatusIs(ErrorCode::kCorruption));
    ASSERT_THAT(ReplaceFile(files_, "/log/facts", facts), IsOk());
  }
  EXPECT_EQ(OpenWhole()->last_index(), LogIndex(3));
}

}  // namespace
}  // namespace cairn
