#include "chunkserver/replication/wire.h"

#include <gtest/gtest.h>

#include "common/crc32c.h"

namespace cairn {
namespace {

TEST(WireTest, BitsSurviveTheTrip) {
  std::vector<bool> bits(19);
  bits[0] = bits[7] = bits[8] = bits[18] = true;
  EXPECT_EQ(UnpackBits(PackBits(bits), 19), bits);
  EXPECT_EQ(UnpackBits("", 3), std::vector<bool>(3));
}

TEST(WireTest, ASummarySurvivesTheTrip) {
  ChunkInfo info;
  info.id = {InodeId(7), 3};
  info.version = {Epoch(5), 6};
  info.generation = 2;
  info.digest = 99;
  info.last_session = SessionId(11);
  info.last_sequence = 12;
  info.chunk_size = kMinChunkSize;
  const ChunkInfo back = InfoOf(SummaryOf(info));
  EXPECT_EQ(back.id, info.id);
  EXPECT_EQ(back.version, info.version);
  EXPECT_EQ(back.generation, 2u);
  EXPECT_EQ(back.digest, 99u);
  EXPECT_EQ(back.last_session, info.last_session);
  EXPECT_EQ(back.last_sequence, 12u);
  EXPECT_EQ(back.chunk_size, kMinChunkSize);
}

TEST(WireTest, CrcsAreOfPiecesCutAtBlocks) {
  const std::string bytes(kBlockSize, 'x');
  const auto data = std::as_bytes(std::span(bytes));
  const std::vector<uint32_t> crcs{Crc32c(data.first(kBlockSize - 10)), Crc32c(data.last(10))};
  EXPECT_TRUE(CrcsMatch(10, data, crcs));
  EXPECT_FALSE(CrcsMatch(11, data, crcs));
  EXPECT_FALSE(CrcsMatch(10, data, std::span(crcs).first(1)));
}

}  // namespace
}  // namespace cairn
