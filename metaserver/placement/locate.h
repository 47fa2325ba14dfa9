// Which placement group holds a chunk. No row says so: it is computed, here and by every client,
// and neither side may change it alone.
#pragma once

#include "cairn/v1/common.pb.h"
#include "common/hash.h"
#include "common/ids.h"

namespace cairn {

// REQUIRES: the pool has groups.
inline PgId LocateChunk(const v1::Pool& pool, const v1::Layout& layout, uint64_t index) {
  const uint64_t place = (MixBits(layout.seed()) + index) % pool.group_count();
  return PgId(pool.first_group() + static_cast<uint32_t>(place));
}

}  // namespace cairn
