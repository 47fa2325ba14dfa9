// Looks at a store from outside: what each chunk shows, and whether the store's own sums, lists and
// files agree with that.
#pragma once

#include <map>
#include <string>

#include "tests/crash/chunk_truth.h"
#include "tests/crash/store_machine.h"

namespace cairn::crash {

// Changes nothing.
FoundChunk FindChunk(ChunkStore& store, ChunkId id);

// One block of the data file as it lies there, shorter where the file ends in it.
std::string RawBlock(StoreMachine& machine, ChunkId id, uint32_t block);

struct Placed {
  PgId group;
  FoundChunk found;
};
// Of all chunks: usage, lists and suspects of their groups, files without rows, damage counted.
// Empty when all is well.
std::string WhatIsWrong(StoreMachine& machine, const std::map<ChunkId, Placed>& chunks);

}  // namespace cairn::crash
