#include "chunkserver/store/chunk_format.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "tests/chunkserver/store/store_fixture.h"

namespace cairn {
namespace {

constexpr ChunkId kOddChunk{InodeId(0x1122334455667788), 0x99aabbcc};

ChunkRow SomeRow() {
  ChunkRow row;
  row.group = PgId(7);
  row.chunk_size = 4 * kMinChunkSize;
  row.version = {Epoch(3), 12};
  row.stamp = 9;
  row.last_session = SessionId(100);
  row.last_sequence = 200;
  row.sealed = true;
  row.digest = 0xdeadbeef;
  return row;
}

TEST(ChunkFormat, AChunkRowComesBackAsItWas) {
  const std::string key = ChunkKey(kOddChunk);
  auto row = DecodeChunkRow(key, EncodeChunkRow(key, SomeRow()));
  ASSERT_OK(row);
  EXPECT_EQ(row->group, PgId(7));
  EXPECT_EQ(row->chunk_size, 4 * kMinChunkSize);
  EXPECT_EQ(row->version, (ChunkVersion{Epoch(3), 12}));
  EXPECT_EQ(row->stamp, 9u);
  EXPECT_EQ(row->last_session, SessionId(100));
  EXPECT_EQ(row->last_sequence, 200u);
  EXPECT_TRUE(row->sealed);
  EXPECT_EQ(row->digest, 0xdeadbeef);
}

TEST(ChunkFormat, ACrcRowHoldsOnlyPresentBlocks) {
  const std::string key = CrcKey(kOddChunk, 5);
  CrcRow row;
  row.Set(0, 1);
  row.Set(63, 2);
  const std::string value = EncodeCrcRow(key, row);
  EXPECT_EQ(value.size(), 1u + 8 + 2 * 4 + 4);
  auto back = DecodeCrcRow(key, value);
  ASSERT_OK(back);
  EXPECT_EQ(back->present, row.present);
  EXPECT_EQ(back->crcs, row.crcs);
}

TEST(ChunkFormat, TheNameOfAFileSetAsideTellsChunkAndTime) {
  const std::string name = AsideFileName({kOddChunk, 1790000000});
  EXPECT_EQ(name, "1122334455667788-99aabbcc-1790000000");
  const std::optional<AsideFile> file = ParseAsideFileName(name);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->id, kOddChunk);
  EXPECT_EQ(file->seconds, 1790000000);
  for (const char* other : {"", "1122334455667788-99aabbcc", "1122334455667788-99aabbcc-",
                            "1122334455667788-99aabbcc-017", "1122334455667788-99aabbcc-1x",
                            "1122334455667788-99aabbcc--1", "x-99aabbcc-1",
                            "1122334455667788-99aabbcc-99999999999999999999"}) {
    EXPECT_FALSE(ParseAsideFileName(other)) << other;
  }
}

TEST(ChunkFormat, DamagedRowsAndRowsUnderAWrongKeyAreFound) {
  const std::string key = ChunkKey(kOddChunk), value = EncodeChunkRow(key, SomeRow());
  EXPECT_EQ(CodeOf(DecodeChunkRow(ChunkKey({InodeId(1), 0}), value)), ErrorCode::kCorruption);
  for (size_t i = 0; i < value.size(); ++i) {
    std::string bad = value;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    EXPECT_NE(CodeOf(DecodeChunkRow(key, bad)), ErrorCode::kOk) << i;
    EXPECT_NE(CodeOf(DecodeChunkRow(key, value.substr(0, i))), ErrorCode::kOk) << i;
  }
}

TEST(ChunkFormat, DecodersTakeAnyBytes) {
  std::mt19937_64 random(TestSeed());
  for (int i = 0; i < 20000; ++i) {
    const std::string bytes = Text(RandomBytes(random, random() % 300));
    (void)DecodeChunkRow("key", bytes);
    (void)DecodeCrcRow("key", bytes);
    (void)ChunkIdOfKey(bytes);
    (void)RowOfCrcKey(bytes);
    (void)ParseChunkFileName(bytes);
  }
}

TEST(ChunkFormat, KeysSortAsIdsDo) {
  const ChunkId low{InodeId(2), 0xffffffff}, high{InodeId(256), 0};
  EXPECT_LT(ChunkKey(low), ChunkKey(high));
  EXPECT_LT(GroupKey(PgId(1), high), GroupKey(PgId(2), low));
  EXPECT_LT(CrcKey(low, 255), CrcKey(low, 256));
  EXPECT_EQ(*ChunkIdOfKey(GroupKey(PgId(1), kOddChunk)), kOddChunk);
  EXPECT_EQ(*ChunkIdOfKey(UnsealedKey(kOddChunk)), kOddChunk);
  EXPECT_EQ(*RowOfCrcKey(CrcKey(kOddChunk, 255)), 255u);
}

TEST(ChunkFormat, FileNamesAreUniqueAndReadBackStrictly) {
  EXPECT_EQ(ChunkFileName(kOddChunk), "1122334455667788-99aabbcc");
  EXPECT_EQ(ParseChunkFileName("1122334455667788-99aabbcc"), kOddChunk);
  for (const char* bad : {"", "1122334455667788-99AABBCC", "1122334455667788_99aabbcc",
                          "1122334455667788-99aabbcg", "+122334455667788-99aabbcc"}) {
    EXPECT_FALSE(ParseChunkFileName(bad)) << bad;
  }
  std::set<std::string> folders;
  for (uint32_t i = 0; i < 5000; ++i) folders.insert(ChunkFolder(ChunkId{InodeId(1), i}));
  EXPECT_EQ(folders.size(), kChunkFolders);
}

TEST(ChunkFormat, TheDigestSeesPositionsAndIgnoresEmptyRows) {
  CrcRow row;
  row.Set(1, 77);
  CrcRow moved;
  moved.Set(2, 77);
  EXPECT_NE(ExtendDigest(0, 0, row), ExtendDigest(0, 0, moved));
  EXPECT_NE(ExtendDigest(0, 0, row), ExtendDigest(0, 1, row));
  EXPECT_EQ(ExtendDigest(5, 3, CrcRow()), 5u);
}

}  // namespace
}  // namespace cairn
