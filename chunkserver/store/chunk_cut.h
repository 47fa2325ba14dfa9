// Truncation by generation (rule C9): a chunk that missed cuts of its file drops what lies beyond
// the smallest of them before anybody sees it. REQUIRES of everything here: the chunk's lock is
// held exclusively, unless told otherwise.
#pragma once

#include <optional>

#include "chunkserver/store/store_parts.h"

namespace cairn {

// Where the chunk must end, as an offset in it, if it missed a cut that reaches it. Pure.
std::optional<uint32_t> MissedCut(ChunkId id, const ChunkRow& row, const FileState& file);

// Whole blocks beyond the cut become never-written, the rest of the block it falls in becomes
// zeros, and the chunk carries the file's generation: after a power cut all of that, or only what
// was before it. Nothing happens when no cut was missed or nothing of the chunk lies beyond it.
// REQUIRES: the chunk exists, CheckFits.
Status ApplyMissedCuts(StoreParts& parts, Chunk& chunk, const FileState& file);

// See ChunkStore::Remove.
Status RemoveByRule(StoreParts& parts, Chunk& chunk, const FileState& file, bool whole);

}  // namespace cairn
