// The frame: a fixed little-endian header, a protobuf body, a raw payload (docs/formats/frame.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "common/status.h"

namespace cairn {

inline constexpr uint32_t kFrameMagic = 0x4e524943;  // "CIRN"
inline constexpr uint8_t kFrameVersion = 1;
inline constexpr size_t kFrameHeaderBytes = 40;
inline constexpr uint32_t kMaxBodyBytes = 4u << 20;
inline constexpr uint32_t kMaxPayloadBytes = 4u << 20;

enum class FrameKind : uint8_t {
  kHello = 1,     // first frame of a connection in each direction; body Hello
  kRequest = 2,
  kResponse = 3,  // code 0: body is the method's response; else body is a StatusDetail
  kGoodbye = 4,   // the sender answers what it has and closes; body StatusDetail says why
};

// Offsets: magic 0, version 4, kind 5, flags 6, method 8, code 10, request_id 12, body_bytes 20,
// payload_bytes 24, time_left_ms 28, reserved 32, crc 36 (CRC32C of bytes 0..35).
struct FrameHeader {
  FrameKind kind = FrameKind::kRequest;
  uint16_t flags = 0;
  uint16_t method = 0;
  uint16_t code = 0;  // ErrorCode, responses only
  uint64_t request_id = 0;
  uint32_t body_bytes = 0;
  uint32_t payload_bytes = 0;
  uint32_t time_left_ms = 0;  // requests only: the caller gives up after that long
};

std::array<std::byte, kFrameHeaderBytes> EncodeFrameHeader(const FrameHeader& header);

// kCorruption: magic or CRC do not match; kUnimplemented: unknown version or kind; kTooLarge: a
// length over its limit. Nothing is allocated before this has passed.
Result<FrameHeader> DecodeFrameHeader(std::span<const std::byte, kFrameHeaderBytes> bytes);

}  // namespace cairn
