#include "metaserver/cluster/files_in_range.h"

#include <utility>

#include "metaserver/store/scan_rows.h"
#include "metaserver/store/schema.h"

namespace cairn {

Result<std::map<InodeId, FileChunks>> LoadFiles(const ReadView& view, ChunkRange& range,
                                                const FileLimits& limits) {
  std::map<InodeId, FileChunks> files;
  InodeId first = range.after.inode;
  if (range.after.index == UINT32_MAX) {
    if (first.value == UINT64_MAX) return files;
    ++first.value;
  }
  size_t runs = 0;
  const auto visit = [&](std::string_view key, const v1::InodeRecord& record) {
    // Whether there is such an inode is for the key to say, whatever is in the row.
    const InodeId inode(schema::KeyNumber(key.substr(schema::kInodePrefix.size())));
    if (inode > range.upto.inode) return false;
    if (files.size() >= limits.rows || runs >= limits.runs) {
      range.upto = {files.rbegin()->first, UINT32_MAX};
      return false;
    }
    runs += static_cast<size_t>(record.file().runs_size());
    files.emplace(inode, ChunksOf(record));
    return true;
  };
  RETURN_IF_ERROR(
      ScanRows<v1::InodeRecord>(view, schema::kInodePrefix, schema::InodeKey(first), visit));
  return files;
}

Result<std::map<InodeId, FileChunks>> LoadFiles(const ReadView& view,
                                                const std::set<InodeId>& inodes) {
  std::map<InodeId, FileChunks> files;
  for (const InodeId inode : inodes) {
    ASSIGN_OR_RETURN(const auto record,
                     LoadRow<v1::InodeRecord>(view, schema::InodeKey(inode)));
    if (record) files.emplace(inode, ChunksOf(*record));
  }
  return files;
}

}  // namespace cairn
