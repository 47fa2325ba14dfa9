#include "raft/storage/snapshot_stream.h"

#include <gtest/gtest.h>

#include "tests/raft/storage/log_words.h"
#include "tests/raft/storage/snapshot_words.h"

namespace cairn {
namespace {

struct Decoded {
  Status status;
  bool finished = false;
  raft::SnapshotPoint point;
  Rows rows;
};

Decoded Decode(std::string_view bytes, size_t piece_bytes) {
  Decoded decoded;
  SnapshotDecoder decoder([&](std::string_view key, std::string_view value) {
    decoded.rows.emplace_back(key, value);
  });
  while (!bytes.empty() && decoded.status.ok()) {
    const size_t size = std::min(piece_bytes, bytes.size());
    decoded.status = decoder.Feed(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  decoded.finished = decoder.finished();
  if (decoder.point() != nullptr) decoded.point = *decoder.point();
  return decoded;
}

TEST(SnapshotStream, AnyRowsComeBackThroughPiecesOfAnySize) {
  const std::vector<Rows> states = {{}, {{"", ""}}, MakeRows(10, 50), MakeRows(3000, 200),
                                    MakeRows(40, 100'000)};
  for (const Rows& rows : states) {
    const std::string whole = BytesOf(PointAt(9), rows);
    for (size_t max_bytes : {size_t{1}, size_t{100}, size_t{65536}, size_t{1} << 22}) {
      if (whole.size() / max_bytes > 10'000) continue;
      std::string bytes;
      for (const raft::SnapshotPiece& piece : PiecesOf(PointAt(9), rows, max_bytes)) {
        EXPECT_EQ(piece.offset, bytes.size());
        EXPECT_EQ(piece.point, PointAt(9));
        EXPECT_TRUE(!piece.data.empty() && piece.data.size() <= max_bytes);
        bytes += piece.data;
      }
      EXPECT_EQ(bytes, whole);
      const Decoded decoded = Decode(bytes, max_bytes);
      EXPECT_THAT(decoded.status, IsOk());
      EXPECT_TRUE(decoded.finished);
      EXPECT_EQ(decoded.point, PointAt(9));
      EXPECT_EQ(decoded.rows, rows);
    }
  }
}

TEST(SnapshotStream, TheLastPieceCanBeHadAgainButNoOther) {
  SnapshotEncoder encoder = EncoderOf(PointAt(9), MakeRows(5000, 100));
  EXPECT_THAT(encoder.PieceAt(1, 1000), StatusIs(ErrorCode::kInvalidArgument));
  const raft::SnapshotPiece first = *encoder.PieceAt(0, 1000);
  EXPECT_EQ(encoder.PieceAt(0, 10)->data, first.data);
  const raft::SnapshotPiece second = *encoder.PieceAt(1000, 1000);
  EXPECT_EQ(second.offset, 1000u);
  EXPECT_EQ(encoder.PieceAt(1000, 1000)->data, second.data);
  EXPECT_THAT(encoder.PieceAt(0, 1000), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(encoder.PieceAt(3000, 1000), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_EQ(encoder.PieceAt(2000, 1000)->offset, 2000u);
}

TEST(SnapshotStream, NothingComesBehindTheLastPiece) {
  SnapshotEncoder encoder = EncoderOf(PointAt(9), MakeRows(3, 10));
  const raft::SnapshotPiece only = *encoder.PieceAt(0, 1 << 20);
  EXPECT_TRUE(only.last);
  EXPECT_THAT(encoder.PieceAt(only.data.size(), 1 << 20), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(encoder.PieceAt(0, 1 << 20)->last);
}

// Gives rows for ever, or until it fails.
class EndlessRows final : public RowSource {
 public:
  EndlessRows(uint64_t& given, uint64_t fails_at) : given_(given), fails_at_(fails_at) {}
  Result<bool> Next(std::string& key, std::string& value) override {
    if (given_ == fails_at_) return Fail(ErrorCode::kIoError, "cannot read");
    key = fmt::format("{}", given_++);
    value.assign(1000, 'v');
    return true;
  }

 private:
  uint64_t& given_;
  const uint64_t fails_at_;
};

TEST(SnapshotStream, RowsArePulledOnlyAsPiecesAreWanted) {
  uint64_t given = 0;
  SnapshotEncoder encoder(PointAt(9), std::make_unique<EndlessRows>(given, ~uint64_t{0}));
  for (uint64_t offset = 0; offset < 50'000'000; offset += 1'000'000) {
    ASSERT_THAT(encoder.PieceAt(offset, 1'000'000), IsOk());
    EXPECT_LE(given * 1000, offset + 1'000'000 + 200'000);
  }
}

TEST(SnapshotStream, ARowThatCannotBeReadEndsTheSnapshot) {
  uint64_t given = 0;
  SnapshotEncoder encoder(PointAt(9), std::make_unique<EndlessRows>(given, 100));
  ASSERT_THAT(encoder.PieceAt(0, 10'000), IsOk());
  EXPECT_THAT(encoder.PieceAt(10'000, 1 << 20), StatusIs(ErrorCode::kIoError));
  EXPECT_THAT(encoder.PieceAt(10'000, 1 << 20), StatusIs(ErrorCode::kIoError));
}

TEST(SnapshotStream, TheLargestRowFitsAndALargerOneIsAnError) {
  const size_t most = snapshot_format::kMaxRowBytes - 3;
  const Rows rows = {{"a", "1"}, {"big", std::string(most, 'x')}};
  EXPECT_EQ(Decode(BytesOf(PointAt(9), rows), 1 << 20).rows, rows);
  SnapshotEncoder encoder = EncoderOf(PointAt(9), {{"big", std::string(most + 1, 'x')}});
  EXPECT_THAT(encoder.PieceAt(0, 100), StatusIs(ErrorCode::kTooLarge));
}

TEST(SnapshotStream, DamageAnywhereIsFoundAndItsBlockGivesNoRow) {
  const Rows rows = MakeRows(2000, 200);
  const std::string whole = BytesOf(PointAt(9), rows);
  const uint64_t seed = SeedOfThisRun();
  SCOPED_TRACE(fmt::format("CAIRN_SEED={}", seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 300; ++round) {
    std::string damaged = whole;
    const size_t at = round < 100 ? static_cast<size_t>(round) : random() % whole.size();
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
    const Decoded decoded = Decode(damaged, 10'000);
    EXPECT_FALSE(decoded.finished) << at;
    ASSERT_LE(decoded.rows.size(), rows.size());
    EXPECT_TRUE(std::equal(decoded.rows.begin(), decoded.rows.end(), rows.begin())) << at;
  }
}

TEST(SnapshotStream, DamageIsNamedByItsOffset) {
  const std::string head = BytesOf(PointAt(9), {});
  const size_t head_bytes = head.size() - snapshot_format::kEndBytes;
  std::string bytes = BytesOf(PointAt(9), MakeRows(10, 10));
  bytes[head_bytes + 20] ^= 1;
  const Decoded decoded = Decode(bytes, 7);
  ASSERT_THAT(decoded.status, StatusIs(ErrorCode::kCorruption));
  EXPECT_NE(decoded.status.message().find(fmt::format("at {}:", head_bytes)), std::string::npos)
      << decoded.status.message();
}

TEST(SnapshotStream, APartIsNotFinishedAndMoreIsDamage) {
  const std::string whole = BytesOf(PointAt(9), MakeRows(100, 50));
  for (size_t size = 0; size < whole.size(); size += 13) {
    const Decoded decoded = Decode(whole.substr(0, size), 1000);
    EXPECT_THAT(decoded.status, IsOk());
    EXPECT_FALSE(decoded.finished);
  }
  EXPECT_THAT(Decode(whole + "x", 1000).status, StatusIs(ErrorCode::kCorruption));
}

TEST(SnapshotStream, RandomBytesAreNoSnapshot) {
  const uint64_t seed = SeedOfThisRun();
  SCOPED_TRACE(fmt::format("CAIRN_SEED={}", seed));
  std::mt19937_64 random(seed);
  const std::string good = BytesOf(PointAt(9), MakeRows(20, 30));
  for (int round = 0; round < 5000; ++round) {
    // From some place on the bytes are random.
    std::string bytes = good.substr(0, random() % good.size());
    const size_t more = 1 + random() % 100;
    for (size_t i = 0; i < more; ++i) bytes += static_cast<char>(random() % 4 == 0 ? random() : 0);
    const Decoded decoded = Decode(bytes, 1 + random() % 200);
    EXPECT_TRUE(!decoded.status.ok() || !decoded.finished || bytes == good);
  }
}

}  // namespace
}  // namespace cairn
