#include "raft/storage/log_format.h"

#include <gtest/gtest.h>

#include "tests/raft/storage/log_words.h"

namespace cairn::log_format {
namespace {

constexpr EntryKind kKinds[] = {EntryKind::kCommand, EntryKind::kNoop, EntryKind::kMembership};

TEST(LogFormat, SegmentHeaderIsReadBackAndChecked) {
  const SegmentHeader header{LogIndex(77), Incarnation(5), 3, true};
  const std::string bytes = EncodeSegmentHeader(header);
  ASSERT_EQ(bytes.size(), kSegmentHeaderBytes);
  EXPECT_EQ(bytes.substr(0, 8), "CARNLOG1");
  EXPECT_EQ(DecodeSegmentHeader(bytes), header);
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_FALSE(DecodeSegmentHeader(damaged)) << at;
    EXPECT_FALSE(DecodeSegmentHeader(bytes.substr(0, at)));
  }
}

TEST(LogFormat, ASegmentIsNewerByIncarnationThenBySerial) {
  const SegmentHeader old{LogIndex(9), Incarnation(1), 7};
  EXPECT_TRUE((SegmentHeader{LogIndex(1), Incarnation(2), 0}).IsNewerThan(old));
  EXPECT_TRUE((SegmentHeader{LogIndex(1), Incarnation(1), 8}).IsNewerThan(old));
  EXPECT_FALSE(old.IsNewerThan(old));
  EXPECT_FALSE(old.IsNewerThan({LogIndex(1), Incarnation(2), 0}));
}

TEST(LogFormat, RecordIsReadBackAndChecked) {
  for (EntryKind kind : kKinds) {
    std::string bytes;
    AppendRecord({Term(3), LogIndex(9), "mkdir /a", kind}, LogIndex(8), 1, bytes);
    ASSERT_EQ(bytes.size(), RecordBytes(8));
    const Record record = *DecodeRecord(bytes, 1);
    EXPECT_EQ(record.term, Term(3));
    EXPECT_EQ(record.index, LogIndex(9));
    EXPECT_EQ(record.synced, LogIndex(8));
    EXPECT_EQ(record.kind, kind);
    EXPECT_EQ(record.command, "mkdir /a");
    EXPECT_EQ(PeekIndex(bytes), LogIndex(9));
    EXPECT_EQ(PeekRecordBytes(bytes), kRecordHeaderBytes + 8);
    for (size_t at = 0; at < bytes.size(); ++at) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ 64);
      EXPECT_FALSE(DecodeRecord(damaged, 1)) << at;
      EXPECT_FALSE(DecodeRecord(bytes.substr(0, at), 1));
    }
  }
}

// docs/formats/raft_log.md
TEST(LogFormat, TheExampleOfTheDocumentIsTrue) {
  const SegmentHeader header{LogIndex(1), Incarnation(1), 0, true};
  std::string bytes = EncodeSegmentHeader(header);
  AppendRecord({Term(1), LogIndex(1), "mkdir /a"}, LogIndex(0), SegmentSeed(header), bytes);
  EXPECT_EQ(HexOf(bytes),
            "4341524e4c4f4731" "0200000001000000" "0100000000000000" "0100000000000000"
            "000000000d309468" "e36c7ef909000000" "0100000000000000" "0100000000000000"
            "0000000000000000" "6d6b646972202f61");
}

TEST(LogFormat, RecordsAreAligned) {
  for (size_t length = 0; length < 20; ++length) {
    std::string bytes;
    AppendRecord({Term(1), LogIndex(1), std::string(length, 'c')}, LogIndex(0), 0, bytes);
    EXPECT_EQ(bytes.size() % kRecordAlignment, 0u);
    EXPECT_EQ(bytes.size(), RecordBytes(length));
    EXPECT_EQ(DecodeRecord(bytes, 0)->command.size(), length);
  }
}

TEST(LogFormat, TheLargestCommandHasARecord) {
  std::string bytes;
  AppendRecord({Term(1), LogIndex(1), std::string(kMaxCommandBytes, 'c'), EntryKind::kMembership},
               LogIndex(0), 0, bytes);
  EXPECT_EQ(DecodeRecord(bytes, 0)->command.size(), kMaxCommandBytes);
  EXPECT_EQ(DecodeRecord(bytes, 0)->kind, EntryKind::kMembership);
}

TEST(LogFormat, AnUnknownKindIsNoRecord) {
  for (uint8_t kind : {uint8_t{3}, uint8_t{4}, uint8_t{255}}) {
    std::string bytes;
    AppendRecord({Term(1), LogIndex(1), "x", static_cast<EntryKind>(kind)}, LogIndex(0), 0, bytes);
    EXPECT_EQ(PeekRecordBytes(bytes), 0u);
    EXPECT_FALSE(PeekRecord(bytes));
    EXPECT_FALSE(DecodeRecord(bytes, 0));
  }
}

TEST(LogFormat, ZerosAndHugeLengthsAreNoRecords) {
  EXPECT_FALSE(DecodeRecord(std::string(100, '\0'), 0));
  EXPECT_FALSE(DecodeRecord(std::string(100, '\xff'), 0));
  EXPECT_EQ(PeekRecordBytes(std::string(100, '\xff')), 0u);
  std::string bytes(100, '\0');
  bytes[7] = 1;  // a kind, but no length
  EXPECT_EQ(PeekRecordBytes(bytes), 0u);
}

TEST(LogFormat, ARecordOfAnotherLifeOfTheFileDoesNotMatch) {
  const SegmentHeader life{LogIndex(1), Incarnation(1), 1};
  std::string bytes;
  AppendRecord({Term(1), LogIndex(1), "x"}, LogIndex(0), SegmentSeed(life), bytes);
  EXPECT_TRUE(DecodeRecord(bytes, SegmentSeed(life)));
  EXPECT_FALSE(DecodeRecord(bytes, SegmentSeed({LogIndex(1), Incarnation(2), 1})));
  EXPECT_FALSE(DecodeRecord(bytes, SegmentSeed({LogIndex(2), Incarnation(1), 1})));
  EXPECT_FALSE(DecodeRecord(bytes, SegmentSeed({LogIndex(1), Incarnation(1), 2})));
}

TEST(LogFormat, RandomBytesAreNeitherHeadersNorRecords) {
  const uint64_t seed = SeedOfThisRun();
  SCOPED_TRACE(fmt::format("CAIRN_SEED={}", seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(random() % 200, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    if (bytes.size() > 8 && round % 2 == 0) {  // a length that could be
      bytes[5] = bytes[6] = bytes[7] = '\0';
    }
    EXPECT_FALSE(DecodeSegmentHeader(bytes));
    EXPECT_FALSE(DecodeRecord(bytes, 0));
    (void)PeekRecord(bytes);
  }
}

}  // namespace
}  // namespace cairn::log_format
