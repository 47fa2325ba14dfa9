// Where the files are that something was found about. Rows of files do not tell their names, so
// this looks for them, at so many entries as an operator can wait for and no more.
#pragma once

#include <set>
#include <vector>

#include "cairn/v1/admin.pb.h"
#include "common/ids.h"
#include "metaserver/store/kv_store.h"

namespace cairn {

inline constexpr size_t kMostEntriesSearched = 200000;
inline constexpr size_t kMostPathBytes = 255;

// Fills in the paths of findings about files that exist: absolute; "..." in front of what was found
// of one that is too long or too deep, or whose directories were not found; empty when the file was
// not. Bytes that are not printable ASCII or UTF-8 become '?'. Of `cut_short` the last finding says
// that there are more.
void AddPaths(const ReadView& view, const std::set<InodeId>& cut_short,
              std::vector<v1::ChunkFinding>& findings,
              size_t most_entries = kMostEntriesSearched);

}  // namespace cairn
