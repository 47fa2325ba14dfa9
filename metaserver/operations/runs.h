// Written runs: which chunks of a file hold bytes (rule C10). Sorted, disjoint, not adjacent. Pure.
#pragma once

#include <cstdint>

#include "cairn/v1/common.pb.h"
#include "common/status.h"

namespace cairn {

// A file with more gaps than this is refused further ones: its inode must fit into an answer.
inline constexpr int kMaxRuns = 65536;
// Of a file: the count of a run over all of them must fit its field.
inline constexpr uint64_t kMaxChunks = (uint64_t{1} << 32) - 1;

// Announced at once by one who writes past the size (client/extension.h has the same figure).
inline constexpr uint32_t kMaxExtendChunks = 65536;

// kInvalidArgument: a run of no chunks; kFileTooBig: one that goes beyond the last chunk.
Status CheckRun(const v1::ChunkRun& run);

using ChunkRuns = google::protobuf::RepeatedPtrField<v1::ChunkRun>;

// Adds chunks [first, end). True if some of them were new.
// REQUIRES: first <= end <= kMaxChunks.
bool AddRun(ChunkRuns& runs, uint64_t first, uint64_t end);
void AddRuns(ChunkRuns& runs, const ChunkRuns& more);
// Only chunks below `end` stay.
void CutRuns(ChunkRuns& runs, uint64_t end);
// Those of chunks from `first` on.
ChunkRuns RunsFrom(const ChunkRuns& runs, uint64_t first);
// One past the last chunk that holds bytes; 0 if none does.
uint64_t EndOfRuns(const ChunkRuns& runs);

}  // namespace cairn
