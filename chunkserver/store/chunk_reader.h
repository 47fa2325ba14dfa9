// Verified reads and what members compare: digests, CRCs, blocks.
// REQUIRES of all that take a Chunk: its lock is held, shared at least.
#pragma once

#include "chunkserver/store/store_parts.h"

namespace cairn {

inline constexpr uint32_t kNoCut = UINT32_MAX;

// Blocks [first, first + count), verified. A mismatch seen under a shared lock is not reported: the
// caller reads once more under the exclusive one (rule C12) and passes `settle`. What lies at `cut`
// and beyond, an offset in the chunk, is zeros, whatever is stored there.
// REQUIRES: the chunk exists and has these blocks.
Result<ChunkRead> ReadBlocks(StoreParts& parts, Chunk& chunk, uint32_t first, uint32_t count,
                             bool settle, uint32_t cut = kNoCut);

// The same blocks, from the disk; lists those that do not match. `settle` as above.
Result<BlockCheck> CheckBlocks(StoreParts& parts, Chunk& chunk, uint32_t first, uint32_t count,
                               bool settle);

Result<std::optional<ChunkInfo>> InfoOf(const IndexView& view, ChunkId id);
Result<std::optional<ChunkBlocks>> BlocksOf(StoreParts& parts, Chunk& chunk);

}  // namespace cairn
