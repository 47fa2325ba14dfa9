#include "rpc/payload.h"

#include <gtest/gtest.h>

#include <cstring>

namespace cairn {
namespace {

TEST(PayloadTest, BuffersOfEverySizeArePageAligned) {
  for (size_t size : {1ul, 4096ul, 4097ul, 32768ul, 1048577ul, 4194304ul, 5000000ul}) {
    Payload payload = Payload::Allocate(size);
    EXPECT_EQ(payload.size(), size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(payload.bytes().data()) % 4096, 0u) << size;
    std::memset(payload.writable().data(), 7, size);
  }
}

TEST(PayloadTest, AnEmptyPayloadHasNoBytes) {
  EXPECT_TRUE(Payload().empty());
  EXPECT_TRUE(Payload::Allocate(0).empty());
  EXPECT_TRUE(Payload::CopyOf("").view().empty());
}

TEST(PayloadTest, ASliceSharesBytesAndKeepsThemAlive) {
  Payload slice;
  const std::byte* at = nullptr;
  {
    Payload whole = Payload::CopyOf("0123456789");
    at = whole.bytes().data() + 3;
    slice = whole.Slice(3, 4);
  }
  EXPECT_EQ(slice.view(), "3456");
  EXPECT_EQ(slice.bytes().data(), at);
  EXPECT_TRUE(slice.Slice(4, 0).empty());
}

TEST(PayloadTest, ABufferThatIsHeldIsNotHandedOutAgain) {
  Payload first = Payload::Allocate(100'000);
  Payload second = Payload::Allocate(100'000);
  EXPECT_NE(first.bytes().data(), second.bytes().data());
}

TEST(PayloadDeathTest, ASliceOutsideIsABug) {
  Payload payload = Payload::CopyOf("abc");
  EXPECT_DEATH((void)payload.Slice(2, 2), "");
  EXPECT_DEATH((void)payload.Slice(SIZE_MAX, 2), "");
}

}  // namespace
}  // namespace cairn
