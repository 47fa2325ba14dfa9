#include "common/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>

namespace cairn {

uint32_t Crc32c(const void* data, size_t size_bytes, uint32_t seed) {
  // ISA-L leaves both inversions to the caller and takes the length as an int.
  constexpr size_t kMaxPiece = size_t{1} << 30;
  auto* bytes = const_cast<unsigned char*>(static_cast<const unsigned char*>(data));
  uint32_t crc = ~seed;
  while (size_bytes > 0) {
    size_t piece = std::min(size_bytes, kMaxPiece);
    crc = crc32_iscsi(bytes, static_cast<int>(piece), crc);
    bytes += piece;
    size_bytes -= piece;
  }
  return ~crc;
}

uint32_t Crc32c(std::span<const std::byte> data, uint32_t seed) {
  return Crc32c(data.data(), data.size(), seed);
}

}  // namespace cairn
