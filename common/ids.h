// Ids are types, so that swapped arguments do not compile. Each is a plain integer inside.
#pragma once

#include <fmt/format.h>

#include <compare>
#include <cstdint>
#include <functional>
#include <tuple>
#include <utility>

namespace cairn {

template <typename Tag, typename Integer>
struct Id {
  Integer value = 0;

  constexpr Id() = default;
  constexpr explicit Id(Integer v) : value(v) {}
  friend constexpr auto operator<=>(Id, Id) = default;

  template <typename H>
  friend H AbslHashValue(H hash, Id id) {
    return H::combine(std::move(hash), id.value);
  }
};

using InodeId = Id<struct InodeTag, uint64_t>;        // 1 is the root directory; 0 is no inode
using ServerId = Id<struct ServerTag, uint32_t>;  // given by the cluster, never reused; 0: nobody
using SessionId = Id<struct SessionTag, uint64_t>;    // one mount; 0 is no session
using PoolId = Id<struct PoolTag, uint32_t>;
using PgId = Id<struct PgTag, uint32_t>;              // placement group, unique over all pools
using Epoch = Id<struct EpochTag, uint64_t>;          // of one placement group, only grows
using Term = Id<struct TermTag, uint64_t>;
using LogIndex = Id<struct LogIndexTag, uint64_t>;
using Incarnation = Id<struct IncarnationTag, uint64_t>;  // one start of a server, only grows

inline constexpr InodeId kRootInode{1};

struct ChunkId {
  InodeId inode;
  uint32_t index = 0;
  friend constexpr auto operator<=>(const ChunkId&, const ChunkId&) = default;

  template <typename H>
  friend H AbslHashValue(H hash, const ChunkId& id) {
    return H::combine(std::move(hash), id.inode.value, id.index);
  }
};

// Two primaries never issue the same version: the epoch is part of it (rule C6).
struct ChunkVersion {
  Epoch epoch;
  uint64_t counter = 0;
  friend constexpr auto operator<=>(const ChunkVersion&, const ChunkVersion&) = default;
};

inline constexpr uint32_t kBlockSize = 4096;                 // the unit of a CRC
inline constexpr uint32_t kMinChunkSize = 1u << 20;
inline constexpr uint32_t kMaxChunkSize = 64u << 20;
inline constexpr uint32_t kDefaultChunkSize = 16u << 20;
inline constexpr uint32_t kMaxTransferBytes = 1u << 20;      // payload of one chunk read or write
inline constexpr uint32_t kMaxNameBytes = 255;

}  // namespace cairn

template <typename Tag, typename Integer>
struct std::hash<cairn::Id<Tag, Integer>> {
  size_t operator()(cairn::Id<Tag, Integer> id) const { return std::hash<Integer>()(id.value); }
};

template <typename Tag, typename Integer>
struct fmt::formatter<cairn::Id<Tag, Integer>> : fmt::formatter<Integer> {
  template <typename Context>
  auto format(cairn::Id<Tag, Integer> id, Context& context) const {
    return fmt::formatter<Integer>::format(id.value, context);
  }
};

template <>
struct fmt::formatter<cairn::ChunkId> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  template <typename Context>
  auto format(const cairn::ChunkId& id, Context& context) const {
    return fmt::format_to(context.out(), "{}/{}", id.inode.value, id.index);
  }
};
