// How full a disk is, for those who write to it. Figures that chunkservers, metaservers and the
// command line must agree on. `writable_bytes` is what new writes may use: the free bytes without
// what is kept for writes that are admitted already (rule C7). Chunkservers tell no other figure.
#pragma once

#include <algorithm>
#include <cstdint>

namespace cairn {

// Kept free by the store, so that what was ordered already can be finished when no new write is
// admitted.
inline constexpr uint64_t kLargestAdmissionReserve = 64u << 20;
constexpr uint64_t AdmissionReserveOf(uint64_t total_bytes) {
  return std::min(kLargestAdmissionReserve, total_bytes / 20);
}

// Writers get ENOSPC. Of a disk whose size is not known nothing is said.
constexpr bool IsFull(uint64_t total_bytes, uint64_t writable_bytes) {
  return total_bytes > 0 && writable_bytes == 0;
}

// More than 95 % of it is used: mounts write through (DESIGN 6.8).
constexpr bool IsNearFull(uint64_t total_bytes, uint64_t writable_bytes) {
  return writable_bytes < total_bytes / 20;
}

}  // namespace cairn
