// Asks several chunkservers at once what they store.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "cairn/v1/common.pb.h"
#include "common/clock.h"
#include "common/ids.h"
#include "metaserver/cluster/chunk_inspector.h"
#include "metaserver/cluster/compare_chunks.h"

namespace cairn {

// No chunk comes after this one.
inline constexpr ChunkId kLastChunk{InodeId(UINT64_MAX), UINT32_MAX};

struct StoredListings {
  ServerListings chunks;                 // of those that answered, each up to `covered`
  std::map<ServerId, ChunkId> covered;   // what comes after this was not listed
  std::set<ServerId> silent;             // those that did not answer, or not sensibly
};

// What each of `servers` stores behind `after`: pages of `limit` chunks, one, or as many as it
// takes to come to `until`. Blocks until all have answered, at most until the deadline.
StoredListings FetchStored(ChunkInspector& inspector,
                           const std::map<ServerId, v1::ServerRecord>& servers, ChunkId after,
                           ChunkId until, uint32_t limit, Deadline deadline);

}  // namespace cairn
