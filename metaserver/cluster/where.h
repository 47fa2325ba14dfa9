// Where the bytes of one file live. Reads rows of one view; asks nobody.
#pragma once

#include "cairn/v1/admin.pb.h"
#include "common/status.h"
#include "metaserver/cluster/map_cache.h"
#include "metaserver/store/kv_store.h"

namespace cairn {

inline constexpr int kMaxChunksListed = 10000;

// Every chunk up to the file's size, the first kMaxChunksListed of them. Symbolic links are not
// followed. kNotFound, kNotDirectory: the path; a directory has attributes and no chunks.
Result<v1::WhereResponse> FindWhere(const v1::WhereRequest& request, const ReadView& view,
                                    const MapSnapshot& map);

}  // namespace cairn
