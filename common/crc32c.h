// CRC32C (Castagnoli) over ISA-L, the checksum of frames, log records and blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace cairn {

// `seed` is the result for the bytes before these, so that Crc32c(b, Crc32c(a)) == Crc32c(a ++ b).
uint32_t Crc32c(std::span<const std::byte> data, uint32_t seed = 0);
uint32_t Crc32c(const void* data, size_t size_bytes, uint32_t seed = 0);

}  // namespace cairn
