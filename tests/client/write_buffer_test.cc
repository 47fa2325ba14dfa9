#include "client/write_buffer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>

namespace cairn::client {
namespace {

std::span<const std::byte> Bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST(WriteBuffer, CoalescesNeighboursIntoOneFrame) {
  WriteBuffer buffer;
  buffer.Insert(0, Bytes("aaaa"), 1);
  buffer.Insert(4, Bytes("bbbb"), 2);
  buffer.Insert(2, Bytes("cc"), 3);
  std::optional<Segment> frame = buffer.Take(3);
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->payload().view(), "aaccbbbb");
  EXPECT_EQ(frame->first_write, 1u);
  EXPECT_EQ(frame->last_write, 3u);
  EXPECT_FALSE(buffer.Take(3).has_value());
}

TEST(WriteBuffer, NeverCrossesAWindow) {
  WriteBuffer buffer;
  buffer.Insert(kWindowBytes - 2, Bytes("aabb"), 1);
  EXPECT_EQ(buffer.Take(1)->payload().view(), "aa");
  EXPECT_EQ(buffer.Take(1)->payload().view(), "bb");
}

TEST(WriteBuffer, KeepsALaterWriteOfTheSameBlockBackUntilTheFirstIsAnswered) {
  WriteBuffer buffer;
  buffer.Insert(0, Bytes("old"), 1);
  ASSERT_TRUE(buffer.Take(1).has_value());
  buffer.Insert(100, Bytes("new"), 2);  // other bytes of the same block
  EXPECT_FALSE(buffer.Take(2).has_value());
  buffer.Finish(0);
  EXPECT_TRUE(buffer.Take(2).has_value());
}

TEST(WriteBuffer, DoesNotChangeBytesThatAreBeingRead) {
  WriteBuffer buffer;
  buffer.Insert(0, Bytes("first"), 1);
  std::vector<WriteBuffer::Slice> read = buffer.Overlap(0, 5);
  buffer.Insert(0, Bytes("other"), 2);
  EXPECT_EQ(read.at(0).bytes.view(), "first");
  EXPECT_EQ(buffer.Overlap(0, 5).back().bytes.view(), "other");
}

TEST(WriteBuffer, DoesNotChangeBytesThatAreUnderWay) {
  WriteBuffer buffer;
  buffer.Insert(0, Bytes("first"), 1);
  Segment frame = *buffer.Take(1);
  buffer.Insert(0, Bytes("other"), 2);
  EXPECT_EQ(frame.payload().view(), "first");
  EXPECT_EQ(buffer.Overlap(0, 5).back().bytes.view(), "other");
}

TEST(WriteBuffer, HoldsYoungWritesBackUnlessTheirWindowIsFull) {
  WriteBuffer buffer;
  buffer.Insert(10, Bytes("x"), 5);
  EXPECT_FALSE(buffer.Take(4).has_value());
  buffer.Insert(2 * kWindowBytes, Bytes(std::string(kWindowBytes, 'y')), 6);
  EXPECT_EQ(buffer.Take(4)->offset, 2 * kWindowBytes);
}

TEST(WriteBuffer, TakesTheOldestFirst) {
  WriteBuffer buffer;
  buffer.Insert(9 * kWindowBytes, Bytes("old"), 1);
  buffer.Insert(0, Bytes("new"), 2);
  EXPECT_EQ(buffer.Take(2)->offset, 9 * kWindowBytes);
  EXPECT_EQ(buffer.Take(2)->offset, 0u);
}

TEST(WriteBuffer, TakesWhatTwoFramesKeptBackOnceBothAreAnswered) {
  WriteBuffer buffer;
  buffer.Insert(0, Bytes("one"), 1);
  buffer.Insert(2 * kBlockSize, Bytes("two"), 2);
  ASSERT_TRUE(buffer.Take(2).has_value());
  ASSERT_TRUE(buffer.Take(2).has_value());
  buffer.Insert(0, Bytes(std::string(3 * kBlockSize, 'n')), 3);
  EXPECT_FALSE(buffer.Take(3).has_value());
  buffer.Finish(0);
  EXPECT_FALSE(buffer.Take(3).has_value());
  buffer.Finish(2 * kBlockSize);
  EXPECT_TRUE(buffer.Take(3).has_value());
}

TEST(WriteBuffer, ChargesEveryByteAndEverySegmentOnce) {
  WriteBuffer buffer;
  for (uint64_t i = 0; i < 100; ++i) buffer.Insert(i * 10'000, Bytes("abc"), i + 1);
  EXPECT_EQ(buffer.charge(), 100 * (3 + kSegmentOverhead));
  while (std::optional<Segment> frame = buffer.Take(kNoWrite - 1)) buffer.Finish(frame->offset);
  EXPECT_EQ(buffer.charge(), 0u);
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.oldest_write(), kNoWrite);
}

// Random inserts, sends and answers against a plain string.
TEST(WriteBuffer, ShowsTheNewestBytesWhateverIsUnderWay) {
  const char* given = std::getenv("CAIRN_SEED");
  unsigned seed =
      given != nullptr ? static_cast<unsigned>(std::atoi(given)) : std::random_device()();
  SCOPED_TRACE("CAIRN_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  constexpr size_t kSize = 3 << 20;
  std::string model(kSize, '\0'), server(kSize, '\0');
  WriteBuffer buffer;
  std::vector<Segment> under_way;
  for (uint64_t step = 1; step < 2000; ++step) {
    size_t offset = random() % (kSize - 70'000);
    if (step % 3 != 0) offset = (offset & ~size_t{0xffff}) % kSize;
    std::string data(1 + random() % 70'000, static_cast<char>(random()));
    buffer.Insert(offset, Bytes(data), step);
    model.replace(offset, data.size(), data);
    while (random() % 2 == 0) {
      std::optional<Segment> frame = buffer.Take(step);
      if (!frame.has_value()) break;
      under_way.push_back(*frame);
    }
    while (!under_way.empty() && random() % 2 == 0) {
      size_t pick = random() % under_way.size();
      Segment frame = under_way[pick];
      under_way.erase(under_way.begin() + static_cast<std::ptrdiff_t>(pick));
      server.replace(frame.offset, frame.length, frame.payload().view());
      buffer.Finish(frame.offset);
    }
    size_t from = random() % kSize, length = std::min<size_t>(kSize - from, random() % 200'000);
    std::string seen = server.substr(from, length);
    for (const WriteBuffer::Slice& slice : buffer.Overlap(from, length)) {
      seen.replace(slice.offset - from, slice.bytes.size(), slice.bytes.view());
    }
    ASSERT_TRUE(seen == model.substr(from, length)) << "step " << step;
  }
}

}  // namespace
}  // namespace cairn::client
