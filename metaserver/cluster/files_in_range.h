// The rows of the files whose chunks are compared.
#pragma once

#include <map>
#include <set>

#include "common/ids.h"
#include "common/status.h"
#include "metaserver/cluster/compare_chunks.h"
#include "metaserver/store/kv_store.h"

namespace cairn {

// Rows of one read, and runs in them: what one comparison holds of the namespace.
struct FileLimits {
  size_t rows = 20000;
  size_t runs = 1000000;
};

// Every inode of the range that exists. Shortens the range, to the end of an inode, if it holds
// more than the limits; one inode is always read.
Result<std::map<InodeId, FileChunks>> LoadFiles(const ReadView& view, ChunkRange& range,
                                                const FileLimits& limits = {});

// Those of `inodes` that exist.
Result<std::map<InodeId, FileChunks>> LoadFiles(const ReadView& view,
                                                const std::set<InodeId>& inodes);

}  // namespace cairn
