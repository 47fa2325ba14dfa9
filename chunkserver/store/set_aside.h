// Chunks whose file does not exist are set aside, not deleted (rule C11): their rows go, their data
// file is kept for a day in the folder aside/, should the judgement have been wrong.
#pragma once

#include "chunkserver/store/store_parts.h"

namespace cairn {

inline constexpr std::chrono::seconds kAsideKept = std::chrono::hours(24);
inline constexpr Duration kAsideLookEvery = std::chrono::minutes(1);

// See ChunkStore::SetAside. REQUIRES: the chunk's lock is held exclusively.
Result<bool> SetChunkAside(StoreParts& parts, Chunk& chunk, PgId group);

// For a start: a chunk whose file was moved and whose rows were not yet removed is whole again.
// REQUIRES: nobody else uses the store.
Status TakeBackHalfSetAside(StoreParts& parts);

// Deletes what was set aside a day ago by the wall clock. Looks only every kAsideLookEvery.
Status RemoveOldAside(StoreParts& parts);

}  // namespace cairn
