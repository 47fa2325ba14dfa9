#include "rpc/frame.h"

#include "common/crc32c.h"

namespace cairn {
namespace {

constexpr size_t kCrcOffset = 36;

template <typename T>
void Store(std::byte* at, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) at[i] = static_cast<std::byte>(value >> (8 * i));
}

template <typename T>
T Load(const std::byte* at) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value |= std::to_integer<uint64_t>(at[i]) << (8 * i);
  return static_cast<T>(value);
}

Status CheckLengths(const FrameHeader& header) {
  if (header.body_bytes > kMaxBodyBytes) {
    return Status::Error(ErrorCode::kTooLarge, "frame body of {} bytes, at most {} are allowed",
                         header.body_bytes, kMaxBodyBytes);
  }
  if (header.payload_bytes > kMaxPayloadBytes) {
    return Status::Error(ErrorCode::kTooLarge, "frame payload of {} bytes, at most {} are allowed",
                         header.payload_bytes, kMaxPayloadBytes);
  }
  return OkStatus();
}

}  // namespace

std::array<std::byte, kFrameHeaderBytes> EncodeFrameHeader(const FrameHeader& header) {
  std::array<std::byte, kFrameHeaderBytes> bytes{};
  std::byte* at = bytes.data();
  Store(at, kFrameMagic);
  Store(at + 4, kFrameVersion);
  Store(at + 5, static_cast<uint8_t>(header.kind));
  Store(at + 6, header.flags);
  Store(at + 8, header.method);
  Store(at + 10, header.code);
  Store(at + 12, header.request_id);
  Store(at + 20, header.body_bytes);
  Store(at + 24, header.payload_bytes);
  Store(at + 28, header.time_left_ms);
  Store(at + kCrcOffset, Crc32c(at, kCrcOffset));
  return bytes;
}

Result<FrameHeader> DecodeFrameHeader(std::span<const std::byte, kFrameHeaderBytes> bytes) {
  const std::byte* at = bytes.data();
  if (Load<uint32_t>(at) != kFrameMagic) {
    return Fail(ErrorCode::kCorruption, "not a frame: magic {:#010x}", Load<uint32_t>(at));
  }
  if (Crc32c(at, kCrcOffset) != Load<uint32_t>(at + kCrcOffset)) {
    return Fail(ErrorCode::kCorruption, "frame header does not match its CRC");
  }
  uint8_t version = Load<uint8_t>(at + 4);
  if (version != kFrameVersion) {
    return Fail(ErrorCode::kUnimplemented, "frame version {}, this is version {}", version,
                kFrameVersion);
  }
  uint8_t kind = Load<uint8_t>(at + 5);
  if (kind < static_cast<uint8_t>(FrameKind::kHello) ||
      kind > static_cast<uint8_t>(FrameKind::kGoodbye)) {
    return Fail(ErrorCode::kUnimplemented, "frame kind {} is unknown", kind);
  }
  FrameHeader header;
  header.kind = static_cast<FrameKind>(kind);
  header.flags = Load<uint16_t>(at + 6);
  header.method = Load<uint16_t>(at + 8);
  header.code = Load<uint16_t>(at + 10);
  header.request_id = Load<uint64_t>(at + 12);
  header.body_bytes = Load<uint32_t>(at + 20);
  header.payload_bytes = Load<uint32_t>(at + 24);
  header.time_left_ms = Load<uint32_t>(at + 28);
  RETURN_IF_ERROR(CheckLengths(header));
  return header;
}

}  // namespace cairn
