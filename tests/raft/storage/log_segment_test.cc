#include "raft/storage/log_segment.h"

#include <gtest/gtest.h>

#include "tests/common/forgetful_files.h"
#include "tests/common/status_matchers.h"

namespace cairn {
namespace {

constexpr size_t kCapacity = 64 << 10;

class LogSegmentTest : public ::testing::Test {
 protected:
  std::unique_ptr<LogSegment> Create(LogIndex first, Incarnation incarnation = Incarnation(1)) {
    auto segment = LogSegment::Create(files_, "/log", {"/log/spare.tmp", 0}, {first, incarnation},
                                      kCapacity);
    EXPECT_THAT(segment, IsOk());
    return std::move(*segment);
  }
  Result<std::unique_ptr<LogSegment>> Load(LogIndex first, LogIndex synced = LogIndex(0)) {
    return LogSegment::Load(files_, "/log/" + SegmentName(first), {first, std::nullopt, synced},
                            kCapacity);
  }
  // Appends `count` commands "c<index>" as one batch.
  static void Append(LogSegment& segment, uint64_t count) {
    std::string records;
    std::vector<size_t> offsets;
    LogIndex last = segment.last_index();
    for (uint64_t i = 1; i <= count; ++i) {
      LogIndex index(last.value + i);
      offsets.push_back(records.size());
      log_format::AppendRecord({Term(1), index, fmt::format("c{}", index)}, last, segment.seed(),
                               records);
    }
    ASSERT_THAT(segment.Append(std::move(records), offsets), IsOk());
  }

  ForgetfulFiles files_;
};

TEST(SegmentName, IsSixteenHexDigits) {
  EXPECT_EQ(SegmentName(LogIndex(255)), "00000000000000ff.log");
  EXPECT_EQ(ParseSegmentName("00000000000000ff.log"), LogIndex(255));
  EXPECT_EQ(ParseSegmentName("ff.log"), std::nullopt);
  EXPECT_EQ(ParseSegmentName("0000000000000xff.log"), std::nullopt);
  EXPECT_EQ(ParseSegmentName("00000000000000ff.tmp"), std::nullopt);
}

TEST_F(LogSegmentTest, ReadsFromAnyIndex) {
  std::unique_ptr<LogSegment> segment = Create(LogIndex(10));
  Append(*segment, 150);
  for (uint64_t from = 10; from < 160; ++from) {
    Result<std::vector<LogEntry>> entries = segment->Read(LogIndex(from), 100);
    ASSERT_THAT(entries, IsOk());
    EXPECT_EQ(entries->front().index, LogIndex(from));
    EXPECT_EQ(entries->front().command, fmt::format("c{}", from));
    EXPECT_LE(entries->size(), 3u);
  }
  EXPECT_EQ(segment->Read(LogIndex(10), 1 << 20)->size(), 150u);
}

TEST_F(LogSegmentTest, OneAppendIsOneSync) {
  std::unique_ptr<LogSegment> segment = Create(LogIndex(1));
  uint64_t before = files_.file_syncs();
  Append(*segment, 100);
  EXPECT_EQ(files_.file_syncs(), before + 1);
}

TEST_F(LogSegmentTest, AppendWritesPagesAheadSoThatTheSizeNeverChanges) {
  std::unique_ptr<LogSegment> segment = Create(LogIndex(1));
  uint64_t size_bytes = LoadFile(files_, segment->path())->size();
  EXPECT_EQ(size_bytes, kCapacity);
  Append(*segment, 10);
  EXPECT_EQ(segment->written_bytes(), kCapacity);
  EXPECT_EQ(LoadFile(files_, segment->path())->size(), size_bytes);
}

TEST_F(LogSegmentTest, RecycledFileShowsNothingOfItsEarlierLife) {
  std::unique_ptr<LogSegment> old = Create(LogIndex(1));
  Append(*old, 100);
  ASSERT_THAT(files_.Rename(old->path(), "/log/spare.tmp"), IsOk());
  std::unique_ptr<LogSegment> recycled = Create(LogIndex(101));
  Append(*recycled, 1);
  Result<std::unique_ptr<LogSegment>> loaded = Load(LogIndex(101));
  ASSERT_THAT(loaded, IsOk());
  EXPECT_EQ((*loaded)->last_index(), LogIndex(101));
}

// Same first index, same records, another start of the server.
TEST_F(LogSegmentTest, RecycledFileOfTheSameIndexesShowsNothingEither) {
  std::unique_ptr<LogSegment> old = Create(LogIndex(1), Incarnation(1));
  Append(*old, 100);
  ASSERT_THAT(files_.Rename(old->path(), "/log/spare.tmp"), IsOk());
  Create(LogIndex(1), Incarnation(2));
  EXPECT_EQ((*Load(LogIndex(1)))->last_index(), LogIndex(0));
}

TEST_F(LogSegmentTest, DamagedHeaderIsRefused) {
  Create(LogIndex(1));
  std::string bytes = *LoadFile(files_, "/log/" + SegmentName(LogIndex(1)));
  bytes[3] = 'X';
  ASSERT_THAT(ReplaceFile(files_, "/log/" + SegmentName(LogIndex(1)), bytes), IsOk());
  EXPECT_THAT(Load(LogIndex(1)), StatusIs(ErrorCode::kCorruption));
}

// What was cut must not come back behind a record of the same length.
TEST_F(LogSegmentTest, CutTailNeverReturns) {
  std::unique_ptr<LogSegment> segment = Create(LogIndex(1));
  Append(*segment, 1);
  std::string before = *LoadFile(files_, segment->path());
  Append(*segment, 2);
  std::string bytes = *LoadFile(files_, segment->path());
  size_t second = log_format::kSegmentHeaderBytes + log_format::RecordBytes(2);
  bytes[second] = static_cast<char>(bytes[second] ^ 1);  // entry 2 torn, entry 3 whole
  ASSERT_THAT(ReplaceFile(files_, segment->path(), bytes), IsOk());
  Result<std::unique_ptr<LogSegment>> loaded = Load(LogIndex(1));
  ASSERT_THAT(loaded, IsOk());
  ASSERT_THAT((*loaded)->Cut(), IsOk());
  EXPECT_EQ((*loaded)->last_index(), LogIndex(1));
  Append(**loaded, 1);
  EXPECT_EQ((*Load(LogIndex(1)))->last_index(), LogIndex(2));
}

}  // namespace
}  // namespace cairn
