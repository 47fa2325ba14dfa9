#include "raft/storage/segment_scan.h"

#include <gtest/gtest.h>

#include "tests/raft/storage/log_words.h"

namespace cairn {
namespace {

constexpr log_format::SegmentHeader kHeader{LogIndex(10), Incarnation(2), 1};
const size_t kRecordBytes = log_format::RecordBytes(50);

// The bytes of a segment that begins at entry 10.
class SegmentScanTest : public ::testing::Test {
 protected:
  SegmentScanTest() : bytes_(log_format::EncodeSegmentHeader(kHeader)) {}

  void AddBatch(uint64_t count, uint64_t term = 1) {
    const LogIndex synced(next_ - 1);
    for (uint64_t i = 0; i < count; ++i) {
      log_format::AppendRecord(EntryAt(next_++, term), synced, log_format::SegmentSeed(kHeader),
                               bytes_);
    }
  }
  static size_t OffsetOf(uint64_t index) {
    return log_format::kSegmentHeaderBytes + (index - 10) * kRecordBytes;
  }
  void Damage(uint64_t index) { bytes_[OffsetOf(index) + 40] ^= 1; }
  SegmentScan Scan(const ScanLimits& limits = {}) { return ScanSegment(bytes_, kHeader, limits); }

  std::string bytes_;
  uint64_t next_ = 10;
};

TEST_F(SegmentScanTest, FindsEveryRecord) {
  AddBatch(3, 1);
  AddBatch(2, 4);
  bytes_.resize(10'000, '\0');
  const SegmentScan scan = Scan();
  EXPECT_EQ(scan.offsets.size(), 5u);
  EXPECT_EQ(scan.offsets[4], OffsetOf(14));
  EXPECT_EQ(scan.end, OffsetOf(15));
  EXPECT_EQ(scan.outline.TermAt(LogIndex(13)), Term(4));
  EXPECT_FALSE(scan.damaged || scan.torn);
}

TEST_F(SegmentScanTest, KeepsTheCommandsOfMembershipsOnly) {
  log_format::AppendRecord({Term(1), LogIndex(10), "x"}, LogIndex(9),
                           log_format::SegmentSeed(kHeader), bytes_);
  log_format::AppendRecord({Term(1), LogIndex(11), "who", EntryKind::kMembership}, LogIndex(10),
                           log_format::SegmentSeed(kHeader), bytes_);
  const SegmentScan scan = Scan();
  ASSERT_EQ(scan.outline.memberships().size(), 1u);
  EXPECT_EQ(scan.outline.memberships()[0].command, "who");
  EXPECT_EQ(scan.outline.memberships()[0].index, LogIndex(11));
}

TEST_F(SegmentScanTest, EntriesBehindTheNextSegmentsFirstAreSuperseded) {
  AddBatch(1);
  AddBatch(5);
  SegmentScan scan = Scan({.next = LogIndex(12), .synced = {}, .previous_term = {}});
  EXPECT_EQ(scan.offsets.size(), 2u);
  EXPECT_FALSE(scan.damaged);
  Damage(14);
  scan = Scan({.next = LogIndex(12), .synced = {}, .previous_term = {}});
  EXPECT_FALSE(scan.damaged);
}

using RuleM5Scan = SegmentScanTest;

TEST_F(RuleM5Scan, ABadRecordOfTheLastBatchIsATornTail) {
  AddBatch(3);
  AddBatch(3);
  Damage(14);
  const SegmentScan scan = Scan();
  EXPECT_EQ(scan.offsets.size(), 4u);
  EXPECT_TRUE(scan.torn);
  EXPECT_FALSE(scan.damaged);
}

TEST_F(RuleM5Scan, ABadRecordBelowALaterRecordsMarkIsDamage) {
  AddBatch(3);
  AddBatch(3);
  Damage(12);
  const SegmentScan scan = Scan();
  EXPECT_EQ(scan.offsets.size(), 2u);
  EXPECT_TRUE(scan.damaged);
  EXPECT_EQ(scan.end, OffsetOf(12));
}

TEST_F(RuleM5Scan, ABadRecordKnownToHaveBeenSyncedIsDamage) {
  AddBatch(3);
  Damage(12);
  EXPECT_FALSE(Scan({.next = {}, .synced = LogIndex(11), .previous_term = {}}).damaged);
  EXPECT_TRUE(Scan({.next = {}, .synced = LogIndex(12), .previous_term = {}}).damaged);
}

TEST_F(RuleM5Scan, AMissingTailKnownToHaveBeenSyncedIsDamage) {
  AddBatch(3);
  EXPECT_FALSE(Scan({.next = {}, .synced = LogIndex(12), .previous_term = {}}).damaged);
  EXPECT_TRUE(Scan({.next = {}, .synced = LogIndex(13), .previous_term = {}}).damaged);
}

TEST_F(RuleM5Scan, ASegmentThatDoesNotReachTheNextIsDamaged) {
  AddBatch(3);
  EXPECT_FALSE(Scan({.next = LogIndex(13), .synced = {}, .previous_term = {}}).damaged);
  EXPECT_TRUE(Scan({.next = LogIndex(14), .synced = {}, .previous_term = {}}).damaged);
}

TEST_F(RuleM5Scan, ATermThatFallsIsNoRecord) {
  AddBatch(1, 5);
  AddBatch(1, 4);
  EXPECT_EQ(Scan().offsets.size(), 1u);
  EXPECT_TRUE(Scan({.next = {}, .synced = {}, .previous_term = Term(6)}).offsets.empty());
}

TEST_F(RuleM5Scan, TracesOfLostEntriesAreFoundWhateverTheirChecksums) {
  AddBatch(8);
  for (uint64_t index : {12, 14, 17}) Damage(index);
  bytes_.resize(bytes_.size() + 4096, '\0');
  EXPECT_EQ(HighestTrace(bytes_, LogIndex(10), Term(1)), LogIndex(17));
}

TEST_F(RuleM5Scan, WithASeedOnlyWholeRecordsOfThatLifeAreTraces) {
  AddBatch(8);
  Damage(12);
  Damage(17);
  const uint32_t seed = log_format::SegmentSeed(kHeader);
  EXPECT_EQ(HighestTrace(bytes_, LogIndex(10), Term(1), seed), LogIndex(16));
  EXPECT_EQ(HighestTrace(bytes_, LogIndex(10), Term(1), seed + 1), LogIndex(9));
}

TEST_F(RuleM5Scan, WhatCannotBeAnEntryIsNoTrace) {
  AddBatch(3, 7);
  EXPECT_EQ(HighestTrace(bytes_, LogIndex(10), Term(6)), LogIndex(9));  // a term that never was
  EXPECT_EQ(HighestTrace(bytes_, LogIndex(11), Term(7)), LogIndex(12));
  EXPECT_EQ(HighestTrace(bytes_, LogIndex(500), Term(7)), LogIndex(499));
  EXPECT_EQ(HighestTrace({}, LogIndex(10), Term(7)), LogIndex(9));
  EXPECT_LT(HighestTrace(bytes_, LogIndex(10), Term(7)), HighestPossible(bytes_, LogIndex(10)));
}

TEST_F(SegmentScanTest, SurvivesAnyBytes) {
  const uint64_t seed = SeedOfThisRun();
  SCOPED_TRACE(fmt::format("CAIRN_SEED={}", seed));
  std::mt19937_64 random(seed);
  AddBatch(5);
  AddBatch(20);
  const std::string good = bytes_;
  for (int round = 0; round < 3000; ++round) {
    bytes_ = good.substr(0, random() % (good.size() + 1));
    for (uint64_t i = 0; i <= random() % 10 && !bytes_.empty(); ++i) {
      bytes_[random() % bytes_.size()] = static_cast<char>(random());
    }
    const SegmentScan scan = Scan({.next = {}, .synced = LogIndex(random() % 40),
                                   .previous_term = {}});
    EXPECT_LE(scan.offsets.size(), 25u);
    EXPECT_LE(scan.end, std::max(bytes_.size() + 8, log_format::kSegmentHeaderBytes));
    EXPECT_LE(HighestTrace(bytes_, LogIndex(10), Term(1)).value, 9 + good.size() / 32 + 1);
  }
}

}  // namespace
}  // namespace cairn
