// Changes of a chunk's bytes: writes, blocks copied from another member, and suspect blocks
// accepted. See ChunkStore for what each does. REQUIRES of all: the chunk's lock is held
// exclusively, the arguments were checked.
#pragma once

#include "chunkserver/store/store_parts.h"

namespace cairn {

// That the write lies inside its chunk and its pieces match their CRCs.
Status CheckWrite(const ChunkWrite& write);
Status WriteChunk(StoreParts& parts, Chunk& chunk, const ChunkWrite& write);

Status CheckInstall(const BlockInstall& install);
Status InstallChunkBlocks(StoreParts& parts, Chunk& chunk, const BlockInstall& install);

Status AdoptSuspects(StoreParts& parts, Chunk& chunk);

}  // namespace cairn
