#include "raft/storage/log_format.h"

#include <gtest/gtest.h>

namespace cairn::log_format {
namespace {

TEST(LogFormat, SegmentHeaderIsReadBackAndChecked) {
  SegmentHeader header{LogIndex(77), Incarnation(5)};
  std::string bytes = EncodeSegmentHeader(header);
  ASSERT_EQ(bytes.size(), kSegmentHeaderBytes);
  EXPECT_EQ(bytes.substr(0, 8), "CARNLOG1");
  EXPECT_EQ(DecodeSegmentHeader(bytes)->first_index, LogIndex(77));
  EXPECT_EQ(DecodeSegmentHeader(bytes)->incarnation, Incarnation(5));
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_FALSE(DecodeSegmentHeader(damaged)) << at;
    EXPECT_FALSE(DecodeSegmentHeader(bytes.substr(0, at)));
  }
}

TEST(LogFormat, RecordIsReadBackAndChecked) {
  std::string bytes;
  AppendRecord({Term(3), LogIndex(9), "mkdir /a"}, LogIndex(8), 1, bytes);
  ASSERT_EQ(bytes.size(), RecordBytes(8));
  Record record = *DecodeRecord(bytes, 1);
  EXPECT_EQ(record.term, Term(3));
  EXPECT_EQ(record.index, LogIndex(9));
  EXPECT_EQ(record.synced, LogIndex(8));
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

TEST(LogFormat, RecordsAreAligned) {
  for (size_t length = 0; length < 20; ++length) {
    std::string bytes;
    AppendRecord({Term(1), LogIndex(1), std::string(length, 'c')}, LogIndex(0), 0, bytes);
    EXPECT_EQ(bytes.size() % kRecordAlignment, 0u);
    EXPECT_EQ(bytes.size(), RecordBytes(length));
    EXPECT_EQ(DecodeRecord(bytes, 0)->command.size(), length);
  }
}

TEST(LogFormat, ZerosAndHugeLengthsAreNoRecords) {
  EXPECT_FALSE(DecodeRecord(std::string(100, '\0'), 0));
  EXPECT_FALSE(DecodeRecord(std::string(100, '\xff'), 0));
  EXPECT_EQ(PeekRecordBytes(std::string(100, '\xff')), 0u);
}

TEST(LogFormat, ARecordOfAnotherLifeOfTheFileDoesNotMatch) {
  std::string bytes;
  uint32_t old_seed = SegmentSeed({LogIndex(1), Incarnation(1)});
  AppendRecord({Term(1), LogIndex(1), "x"}, LogIndex(0), old_seed, bytes);
  EXPECT_TRUE(DecodeRecord(bytes, old_seed));
  EXPECT_FALSE(DecodeRecord(bytes, SegmentSeed({LogIndex(1), Incarnation(2)})));
  EXPECT_FALSE(DecodeRecord(bytes, SegmentSeed({LogIndex(2), Incarnation(1)})));
}

}  // namespace
}  // namespace cairn::log_format
