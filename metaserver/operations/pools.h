// What every pool must satisfy, whoever makes it.
#pragma once

#include <cstdint>

#include "cairn/v1/common.pb.h"
#include "cairn/v1/records.pb.h"
#include "common/ids.h"

namespace cairn {

// The pool the cluster was founded with: of files whose directory says nothing else.
inline constexpr PoolId kDefaultPool{1};
inline constexpr uint32_t kMaxCopies = 9;

// Fewer active copies than this take no writes: 2 of 3, 1 of 2 and 1 of 1, so that writes go on
// with one copy away where there are several.
constexpr uint32_t DefaultMinActive(uint32_t copies) {
  return (copies + 1) / 2;
}

// A power of two from 1 to 64 MiB.
constexpr bool IsChunkSize(uint32_t bytes) {
  return bytes >= kMinChunkSize && bytes <= kMaxChunkSize && (bytes & (bytes - 1)) == 0;
}

// What a new file gets in a directory of this policy; of the default one where it has none.
inline PoolId PoolOf(const v1::LayoutPolicy& policy) {
  return policy.pool() != 0 ? PoolId(policy.pool()) : kDefaultPool;
}
inline uint32_t ChunkSizeOf(const v1::LayoutPolicy& policy, const v1::Pool& pool) {
  return policy.chunk_size() != 0 ? policy.chunk_size() : pool.chunk_size();
}

// Files made from now on live in groups that are yet to be made; those made before stay where they
// are. Nothing happens while no group of the current generation exists.
inline void EndGeneration(v1::Pool& pool) {
  if (pool.group_count() == 0) return;
  v1::PoolGeneration& earlier = *pool.add_earlier();
  earlier.set_generation(pool.generation());
  earlier.set_first_group(pool.first_group());
  earlier.set_group_count(pool.group_count());
  pool.set_generation(pool.generation() + 1);
  pool.clear_first_group();
  pool.clear_group_count();
}

}  // namespace cairn
