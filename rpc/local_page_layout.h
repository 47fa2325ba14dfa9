// The page by which a client on the same host sees, without asking, whether what it read from a
// chunk's file may be believed. Written by a chunkserver for one disk, mapped read-only by clients.
// docs/formats/local_reads.md; the names of socket and page are here too.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/hash.h"
#include "common/ids.h"

namespace cairn {

inline constexpr uint32_t kLocalPageMagic = 0x50524943;  // the bytes "CIRP"
inline constexpr uint32_t kLocalPageVersion = 1;
inline constexpr uint32_t kLocalGroupSlots = 1024;
inline constexpr uint32_t kLocalChunkSlots = 8192;

// Packets of the socket.
inline constexpr size_t kMaxLocalRequestBytes = 8u << 10;
inline constexpr size_t kMaxLocalAnswerBytes = 80u << 10;
inline constexpr size_t kMaxLocalBlocks = kMaxChunkSize / kBlockSize;
static_assert(kMaxLocalBlocks * 4 + kMaxLocalBlocks / 8 + 4096 < kMaxLocalAnswerBytes);

// How often changes of the chunks of this slot have begun, and have ended. Only grow.
struct LocalChunkSlot {
  std::atomic<uint64_t> begun;
  std::atomic<uint64_t> ended;
};

struct LocalPageLayout {
  uint32_t magic;
  uint32_t version;
  uint32_t group_slots;
  uint32_t chunk_slots;
  // Nanoseconds on CLOCK_BOOTTIME up to which the disk may serve reads; 0: it may not, for good.
  std::atomic<int64_t> lease_until;
  std::array<std::byte, 40> reserved;
  // How often the groups of this slot have changed. Only grow.
  std::array<std::atomic<uint64_t>, kLocalGroupSlots> group_changes;
  std::array<LocalChunkSlot, kLocalChunkSlots> chunks;
};
static_assert(std::atomic<uint64_t>::is_always_lock_free && sizeof(std::atomic<uint64_t>) == 8);
static_assert(offsetof(LocalPageLayout, lease_until) == 16);
static_assert(offsetof(LocalPageLayout, group_changes) == 64);
static_assert(sizeof(LocalPageLayout) == 64 + 8 * kLocalGroupSlots + 16 * kLocalChunkSlots);

// Things that share a slot cost each other a question, never a wrong answer.
inline size_t LocalSlotOf(PgId group) {
  return group.value % kLocalGroupSlots;
}
inline size_t LocalSlotOf(ChunkId id) {
  return MixBits(MixBits(id.inode.value) + id.index) % kLocalChunkSlots;
}

// Both beside the UNIX socket for frames. The page goes by the disk, which keeps its uuid for life:
// the next start of whoever has the disk finds what an earlier one left.
inline std::string LocalSocketPath(std::string_view unix_socket) {
  return std::string(unix_socket) + ".local";
}
inline std::string LocalPagePath(std::string_view unix_socket, std::string_view disk_uuid) {
  return std::string(unix_socket) + "." + std::string(disk_uuid) + ".page";
}

}  // namespace cairn
