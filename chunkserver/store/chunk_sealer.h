// Brings chunks to disk, and seals what has been there unchanged (rule C5). No function here may be
// called with a chunk's lock held; none holds one during an fsync.
#pragma once

#include <span>

#include "chunkserver/store/store_parts.h"

namespace cairn {

// Data, directory entries and index rows of these chunks are on disk on return.
Status SyncChunks(StoreParts& parts, std::span<const ChunkId> ids);
Status SyncAllChunks(StoreParts& parts);

// Syncs the unsealed chunks that have not changed after `moment` and seals those that did not
// change meanwhile and have no suspect blocks. The seals are on disk on return. Returns how many.
Result<size_t> SealChunks(StoreParts& parts, BootTime moment);

// Removes the files of removed chunks, after their rows' removal is on disk.
Status RemoveDoomedFiles(StoreParts& parts);
// When there are many removals not known to be on disk, brings them there: they are remembered.
Status SyncManyRemovals(StoreParts& parts);

}  // namespace cairn
