#include "raft/storage/snapshot_format.h"

#include <gtest/gtest.h>

#include "tests/raft/storage/log_words.h"

namespace cairn::snapshot_format {
namespace {

const raft::SnapshotPoint kPoint{LogIndex(7), Term(3), {{{ServerId(1), "a:1"}}, {}, {}}};

using Rows = std::vector<std::pair<std::string, std::string>>;

OnRow Into(Rows& rows) {
  return [&rows](std::string_view key, std::string_view value) { rows.emplace_back(key, value); };
}

TEST(SnapshotFormat, HeadIsReadBackAndChecked) {
  Chain written;
  const std::string bytes = EncodeHead(kPoint, written);
  EXPECT_EQ(bytes.substr(0, 8), "CARNSNP1");
  raft::SnapshotPoint point;
  Chain chain;
  EXPECT_EQ(*DecodeHead(bytes, point, chain), bytes.size());
  EXPECT_EQ(point, kPoint);
  EXPECT_EQ(chain.crc, written.crc);
  for (size_t at = 0; at < bytes.size(); ++at) {
    EXPECT_EQ(*DecodeHead(bytes.substr(0, at), point, chain), 0u);
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    const Result<size_t> decoded = DecodeHead(damaged, point, chain);
    if (!decoded.has_value()) continue;
    EXPECT_EQ(*decoded, 0u) << at;  // a length that asks for more bytes
    EXPECT_EQ(at / 4, 3u);
  }
}

// docs/formats/snapshot.md
TEST(SnapshotFormat, TheExampleOfTheDocumentIsTrue) {
  Chain chain;
  std::string bytes = EncodeHead({LogIndex(7), Term(3), {}}, chain);
  std::string row;
  AppendRow("a", "1", row);
  AppendBlock(row, chain, bytes);
  AppendEnd(1, chain, bytes);
  EXPECT_EQ(HexOf(bytes),
            "4341524e534e5031" "010000000d000000" "0700000000000000" "0300000000000000"
            "0100000000000000" "000000000065a2de" "5f0a000000965a6a" "6201000000010000"
            "00613100000000" "6e2b469c0100000000000000");
}

TEST(SnapshotFormat, AnotherVersionIsRefusedByName) {
  Chain chain;
  std::string bytes = EncodeHead(kPoint, chain);
  bytes[8] = 9;
  raft::SnapshotPoint point;
  const Result<size_t> decoded = DecodeHead(bytes, point, chain);
  ASSERT_THAT(decoded, StatusIs(ErrorCode::kNotSupported));
  EXPECT_NE(decoded.error().message().find("format 9"), std::string::npos);
}

TEST(SnapshotFormat, AHugeMembershipIsRefusedBeforeItIsWaitedFor) {
  Chain chain;
  std::string bytes = EncodeHead(kPoint, chain);
  bytes[14] = 2;
  raft::SnapshotPoint point;
  EXPECT_THAT(DecodeHead(bytes, point, chain), StatusIs(ErrorCode::kCorruption));
}

class SnapshotBlockTest : public ::testing::Test {
 protected:
  SnapshotBlockTest() {
    AppendRow("key1", "value1", rows_);
    AppendRow("key2", "", rows_);
    AppendRow("", "", rows_);
    Chain chain = begin_;
    AppendBlock(rows_, chain, block_);
    AppendEnd(3, chain, end_);
  }
  Result<size_t> Decode(std::string_view bytes) {
    return DecodeBlock(bytes, Into(found_), chain_, count_);
  }

  const Chain begin_{12345};
  std::string rows_;
  std::string block_;
  std::string end_;
  Chain chain_ = begin_;
  BlockCount count_;
  Rows found_;
};

TEST_F(SnapshotBlockTest, RowsAreReadBack) {
  EXPECT_EQ(*Decode(block_ + "more"), block_.size());
  EXPECT_EQ(found_, (Rows{{"key1", "value1"}, {"key2", ""}, {"", ""}}));
  EXPECT_EQ(count_.rows, 3u);
  EXPECT_EQ(*Decode(end_), end_.size());
  EXPECT_TRUE(count_.ended);
}

TEST_F(SnapshotBlockTest, NothingIsTakenFromAPartOfABlock) {
  for (size_t at = 0; at < block_.size(); ++at) EXPECT_EQ(*Decode(block_.substr(0, at)), 0u);
  EXPECT_TRUE(found_.empty());
}

TEST_F(SnapshotBlockTest, NoDamagedBlockGivesARow) {
  for (size_t at = 4; at < block_.size(); ++at) {
    std::string damaged = block_;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_THAT(Decode(damaged), StatusIs(ErrorCode::kCorruption)) << at;
  }
  EXPECT_TRUE(found_.empty());
}

TEST_F(SnapshotBlockTest, ABlockOutOfOrderIsDamage) {
  chain_.crc = 1;
  EXPECT_THAT(Decode(block_), StatusIs(ErrorCode::kCorruption));
}

TEST_F(SnapshotBlockTest, AnEndThatCountsOtherRowsIsDamage) {
  EXPECT_THAT(Decode(end_), StatusIs(ErrorCode::kCorruption));  // the block is missing
  Chain chain = begin_;
  std::string end;
  AppendEnd(3, chain, end);
  EXPECT_THAT(Decode(end), StatusIs(ErrorCode::kCorruption));
  chain = begin_;
  end.clear();
  AppendEnd(0, chain, end);
  EXPECT_THAT(Decode(end), IsOk());
}

TEST_F(SnapshotBlockTest, AHugeBlockIsRefusedBeforeItIsWaitedFor) {
  EXPECT_THAT(Decode("\xff\xff\xff\x7f" "1234"), StatusIs(ErrorCode::kCorruption));
}

// A good checksum over rows that are none.
TEST_F(SnapshotBlockTest, RowsThatDoNotFillTheirBlockAreDamage) {
  for (const std::string& rows : {rows_ + "x", rows_.substr(0, rows_.size() - 1), rows_.substr(1),
                                  std::string(8, '\xff')}) {
    Chain chain = begin_;
    std::string block;
    AppendBlock(rows, chain, block);
    EXPECT_THAT(Decode(block), StatusIs(ErrorCode::kCorruption));
  }
  EXPECT_TRUE(found_.empty());
}

}  // namespace
}  // namespace cairn::snapshot_format
