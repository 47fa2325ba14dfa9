// Which placement group holds a chunk. No row says so: it is computed, here and by every client,
// and neither side may change it alone.
#pragma once

#include "cairn/v1/common.pb.h"
#include "common/hash.h"
#include "common/ids.h"

namespace cairn {

struct GroupRange {
  uint32_t first = 0;
  uint32_t count = 0;  // 0: there are none, or none yet
};

// The groups of files that were made in this generation of the pool.
inline GroupRange GroupsOf(const v1::Pool& pool, uint32_t generation) {
  if (generation == pool.generation()) return {pool.first_group(), pool.group_count()};
  for (const v1::PoolGeneration& earlier : pool.earlier()) {
    if (earlier.generation() == generation) return {earlier.first_group(), earlier.group_count()};
  }
  return {};
}

// REQUIRES: the generation has groups.
inline PgId LocateChunk(GroupRange groups, uint64_t seed, uint64_t index) {
  return PgId(groups.first + static_cast<uint32_t>((MixBits(seed) + index) % groups.count));
}

}  // namespace cairn
