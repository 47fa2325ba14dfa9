// Where the bytes of one file live, and what layout a file or directory has. Reads rows of one
// view; asks nobody.
#pragma once

#include <string_view>

#include "cairn/v1/admin.pb.h"
#include "common/ids.h"
#include "common/status.h"
#include "metaserver/cluster/map_cache.h"
#include "metaserver/store/kv_store.h"

namespace cairn {

inline constexpr int kMaxChunksListed = 10000;

// `inode` itself, or for 0 the one at `path`, which is absolute within the file system. Symbolic
// links are not followed. kNotFound, kNotDirectory, kInvalidArgument: the path; an inode given by
// its number may be gone.
Result<InodeId> FindInode(const ReadView& view, InodeId inode, std::string_view path);

// Every chunk up to the file's size, the first kMaxChunksListed of them; layout and copies. A
// directory has no chunks: its layout is the one a new file in it would get (without a seed), and
// its policy is there only if it has one of its own. Errors as of FindInode, for any inode.
Result<v1::WhereResponse> FindWhere(const v1::WhereRequest& request, const ReadView& view,
                                    const MapSnapshot& map);

}  // namespace cairn
