#include "rpc/frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "common/crc32c.h"

namespace cairn {
namespace {

FrameHeader Full() {
  FrameHeader header;
  header.kind = FrameKind::kResponse;
  header.flags = 0x0102;
  header.method = 0x0304;
  header.code = 0x0506;
  header.request_id = 0x1122334455667788;
  header.body_bytes = 0x00010203;
  header.payload_bytes = 0x00040506;
  header.time_left_ms = 0x0a0b0c0d;
  return header;
}

void Seal(std::array<std::byte, kFrameHeaderBytes>& bytes) {
  uint32_t crc = Crc32c(bytes.data(), 36);
  for (size_t i = 0; i < 4; ++i) bytes[36 + i] = static_cast<std::byte>(crc >> (8 * i));
}

TEST(FrameTest, EveryFieldSurvives) {
  auto decoded = DecodeFrameHeader(EncodeFrameHeader(Full()));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->kind, FrameKind::kResponse);
  EXPECT_EQ(decoded->flags, 0x0102);
  EXPECT_EQ(decoded->method, 0x0304);
  EXPECT_EQ(decoded->code, 0x0506);
  EXPECT_EQ(decoded->request_id, 0x1122334455667788u);
  EXPECT_EQ(decoded->body_bytes, 0x00010203u);
  EXPECT_EQ(decoded->payload_bytes, 0x00040506u);
  EXPECT_EQ(decoded->time_left_ms, 0x0a0b0c0du);
}

// The worked example of docs/formats/frame.md; it must never change.
TEST(FrameTest, TheBytesAreTheOnesWeDocument) {
  FrameHeader header;
  header.method = 4;
  header.request_id = 1;
  header.body_bytes = 5;
  header.time_left_ms = 1000;
  auto bytes = EncodeFrameHeader(header);
  std::string text;
  for (std::byte byte : bytes) text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  EXPECT_EQ(text.substr(0, 72),
            "4349524e" "01" "02" "0000" "0400" "0000" "0100000000000000" "05000000" "00000000"
            "e8030000" "00000000");
}

TEST(FrameTest, AnyFlippedBitIsNoticed) {
  auto good = EncodeFrameHeader(Full());
  for (size_t bit = 0; bit < kFrameHeaderBytes * 8; ++bit) {
    auto bytes = good;
    bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    EXPECT_EQ(DecodeFrameHeader(bytes).error().code(), ErrorCode::kCorruption) << bit;
  }
}

TEST(FrameTest, LengthsAtTheLimitPassAndOverItDoNot) {
  FrameHeader header;
  header.body_bytes = kMaxBodyBytes;
  header.payload_bytes = kMaxPayloadBytes;
  EXPECT_TRUE(DecodeFrameHeader(EncodeFrameHeader(header)).has_value());
  header.body_bytes = kMaxBodyBytes + 1;
  EXPECT_EQ(DecodeFrameHeader(EncodeFrameHeader(header)).error().code(), ErrorCode::kTooLarge);
  header.body_bytes = 0;
  header.payload_bytes = kMaxPayloadBytes + 1;
  EXPECT_EQ(DecodeFrameHeader(EncodeFrameHeader(header)).error().code(), ErrorCode::kTooLarge);
}

TEST(FrameTest, UnknownVersionsAndKindsAreNamed) {
  auto bytes = EncodeFrameHeader(Full());
  bytes[4] = std::byte{9};
  Seal(bytes);
  EXPECT_EQ(DecodeFrameHeader(bytes).error().code(), ErrorCode::kUnimplemented);
  EXPECT_THAT(DecodeFrameHeader(bytes).error().message(), testing::HasSubstr("version 9"));
  for (unsigned kind : {0u, 5u, 255u}) {
    bytes = EncodeFrameHeader(Full());
    bytes[5] = static_cast<std::byte>(kind);
    Seal(bytes);
    EXPECT_EQ(DecodeFrameHeader(bytes).error().code(), ErrorCode::kUnimplemented) << kind;
  }
}

}  // namespace
}  // namespace cairn
