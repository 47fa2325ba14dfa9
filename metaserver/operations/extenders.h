// Which sessions write past the committed size of a file (rule L5). What they wrote there is
// provisional: when they are gone before they committed it, the file is cut at its size, so that it
// never shows when somebody else makes the file longer. Pure.
#pragma once

#include "cairn/v1/records.pb.h"
#include "common/ids.h"
#include "common/status.h"
#include "metaserver/operations/runs.h"
#include "metaserver/store/transaction.h"

namespace cairn {

// The chunks that whoever makes a file may write without having asked with Extend.
inline constexpr uint32_t kChunksOfNewFile = 16;
// A row remembers so many runs; more gaps than that are filled: chunks that were never written cost
// the trimmer a look.
inline constexpr int kMaxExtendRuns = 64;

// `session` may write chunks [first, first + count) past the size.
Status AddExtender(InodeId inode, SessionId session, const v1::ChunkRun& chunks,
                   MetadataTransaction& txn);

// All that `session` wrote past the size is committed. True: that left nobody but sessions that are
// gone, so `inode` was cut and has to be stored.
Result<bool> RemoveExtender(SessionId session, v1::InodeRecord& inode, MetadataTransaction& txn);

// If nobody but sessions that are gone wrote past the size, cuts the file there (true: `inode` has
// to be stored). While a living one does the cut waits for it, or what was acknowledged to that one
// and is not committed would be lost (decision 0007). kBusy: too many cuts wait to be trimmed, and
// nothing was changed.
Result<bool> CutForTheGone(v1::InodeRecord& inode, MetadataTransaction& txn);

// The chunks past the size that somebody may have written.
Result<ChunkRuns> ChunksOfExtenders(InodeId inode, const MetadataTransaction& txn);

}  // namespace cairn
