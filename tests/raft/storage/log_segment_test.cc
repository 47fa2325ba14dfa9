#include "raft/storage/log_segment.h"

#include <gtest/gtest.h>

#include "tests/raft/storage/log_words.h"

namespace cairn {
namespace {

constexpr size_t kCapacity = 64 << 10;

class LogSegmentTest : public ::testing::Test {
 protected:
  std::unique_ptr<LogSegment> Create(LogIndex first, Incarnation incarnation = Incarnation(1),
                                     uint32_t serial = 0) {
    auto segment = LogSegment::Create(files_, "/log", {"/log/spare.tmp", 0},
                                      {first, incarnation, serial}, kCapacity);
    EXPECT_THAT(segment, IsOk());
    return std::move(*segment);
  }
  Result<LogSegment::Loaded> Load(LogIndex first) {
    return LogSegment::Load(files_, PathOf(first), first, {}, kCapacity);
  }
  static std::string PathOf(LogIndex first) { return "/log/" + SegmentName(first); }
  // Appends `count` entries as one batch.
  static void Append(LogSegment& segment, uint64_t count) {
    std::string records;
    std::vector<uint32_t> offsets;
    const LogIndex last = segment.last_index();
    for (uint64_t i = 1; i <= count; ++i) {
      offsets.push_back(static_cast<uint32_t>(records.size()));
      log_format::AppendRecord(EntryAt(last.value + i, 1), last, segment.seed(), records);
    }
    ASSERT_THAT(segment.Append(std::move(records), offsets), IsOk());
  }
  static std::vector<LogEntry> Read(LogSegment& segment, uint64_t from, size_t max_bytes,
                                    size_t at_least = 1) {
    auto entries = segment.Read(segment.Find(LogIndex(from), max_bytes, at_least));
    EXPECT_THAT(entries, IsOk());
    return *std::move(entries);
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

TEST_F(LogSegmentTest, ReadsFromAnyIndexWhatFitsTheLimit) {
  std::unique_ptr<LogSegment> segment = Create(LogIndex(10));
  Append(*segment, 150);
  const size_t record = log_format::RecordBytes(50);
  for (uint64_t from = 10; from < 160; ++from) {
    const std::vector<LogEntry> entries = Read(*segment, from, 3 * record);
    EXPECT_EQ(entries, Entries(from, std::min<uint64_t>(from + 2, 159), 1));
    EXPECT_EQ(Read(*segment, from, 3 * record - 1).size(), std::min<uint64_t>(2, 160 - from));
  }
  EXPECT_EQ(Read(*segment, 10, 1 << 20).size(), 150u);
}

TEST_F(LogSegmentTest, ReadsAtLeastOneEntryIfToldTo) {
  std::unique_ptr<LogSegment> segment = Create(LogIndex(1));
  Append(*segment, 2);
  EXPECT_EQ(Read(*segment, 1, 0, 1), Entries(1, 1, 1));
  EXPECT_EQ(Read(*segment, 2, 0, 1), Entries(2, 2, 1));
  EXPECT_TRUE(Read(*segment, 1, 0, 0).empty());
}

TEST_F(LogSegmentTest, OneAppendIsOneSync) {
  std::unique_ptr<LogSegment> segment = Create(LogIndex(1));
  const uint64_t before = files_.file_syncs();
  Append(*segment, 100);
  EXPECT_EQ(files_.file_syncs(), before + 1);
}

TEST_F(LogSegmentTest, AppendWritesPagesAheadSoThatTheSizeNeverChanges) {
  std::unique_ptr<LogSegment> segment = Create(LogIndex(1));
  const uint64_t size_bytes = LoadFile(files_, segment->path())->size();
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
  EXPECT_EQ(Load(LogIndex(101))->segment->last_index(), LogIndex(101));
}

// Same first index, records of the same size: only the start or the number of the segment differs.
TEST_F(LogSegmentTest, RecycledFileOfTheSameIndexesShowsNothingEither) {
  for (const auto& [incarnation, serial] : {std::pair(2, 0), std::pair(1, 1)}) {
    std::unique_ptr<LogSegment> old = Create(LogIndex(1));
    Append(*old, 100);
    ASSERT_THAT(files_.Rename(old->path(), "/log/spare.tmp"), IsOk());
    std::unique_ptr<LogSegment> recycled =
        Create(LogIndex(1), Incarnation(static_cast<uint64_t>(incarnation)),
               static_cast<uint32_t>(serial));
    Append(*recycled, 1);
    EXPECT_EQ(Load(LogIndex(1))->segment->last_index(), LogIndex(1));
  }
}

TEST_F(LogSegmentTest, DamagedHeaderIsRefused) {
  Create(LogIndex(1));
  std::string bytes = *LoadFile(files_, PathOf(LogIndex(1)));
  ASSERT_THAT(ReplaceFile(files_, PathOf(LogIndex(2)), bytes), IsOk());  // another's name
  EXPECT_THAT(Load(LogIndex(2)), StatusIs(ErrorCode::kCorruption));
  bytes[3] = 'X';
  ASSERT_THAT(ReplaceFile(files_, PathOf(LogIndex(1)), bytes), IsOk());
  EXPECT_THAT(Load(LogIndex(1)), StatusIs(ErrorCode::kCorruption));
}

// What was cut must not come back behind a record of the same length.
TEST_F(LogSegmentTest, CutTailNeverReturns) {
  std::unique_ptr<LogSegment> segment = Create(LogIndex(1));
  Append(*segment, 1);
  Append(*segment, 2);
  std::string bytes = *LoadFile(files_, segment->path());
  const size_t second = log_format::kSegmentHeaderBytes + log_format::RecordBytes(50);
  bytes[second] = static_cast<char>(bytes[second] ^ 1);  // entry 2 torn, entry 3 whole
  ASSERT_THAT(ReplaceFile(files_, segment->path(), bytes), IsOk());
  Result<LogSegment::Loaded> loaded = Load(LogIndex(1));
  ASSERT_THAT(loaded, IsOk());
  ASSERT_THAT(loaded->segment->Cut(), IsOk());
  EXPECT_EQ(loaded->segment->last_index(), LogIndex(1));
  Append(*loaded->segment, 1);
  EXPECT_EQ(Load(LogIndex(1))->segment->last_index(), LogIndex(2));
}

TEST_F(LogSegmentTest, SupersededEntriesAreForgottenButStayReadableForWhoHasFoundThem) {
  std::unique_ptr<LogSegment> segment = Create(LogIndex(1));
  Append(*segment, 10);
  const LogSegment::Range found = segment->Find(LogIndex(5), 1 << 20, 1);
  segment->ForgetFrom(LogIndex(8));
  EXPECT_EQ(segment->last_index(), LogIndex(7));
  EXPECT_EQ(Read(*segment, 5, 1 << 20), Entries(5, 7, 1));
  EXPECT_EQ(*segment->Read(found), Entries(5, 10, 1));
  segment->ForgetFrom(LogIndex(8));
  EXPECT_EQ(segment->last_index(), LogIndex(7));
}

TEST_F(LogSegmentTest, DamageThatCameWhileItWasOpenIsTold) {
  std::unique_ptr<LogSegment> segment = Create(LogIndex(1));
  Append(*segment, 3);
  std::unique_ptr<File> file = *files_.Open(segment->path(), OpenMode::kReadWrite);
  const std::byte bad{0x55};
  ASSERT_THAT(file->Write(log_format::kSegmentHeaderBytes + 40, {&bad, 1}), IsOk());
  EXPECT_THAT(segment->Read(segment->Find(LogIndex(1), 1 << 20, 1)),
              StatusIs(ErrorCode::kCorruption));
  EXPECT_THAT(segment->Read(segment->Find(LogIndex(2), 1 << 20, 1)), IsOk());
}

}  // namespace
}  // namespace cairn
