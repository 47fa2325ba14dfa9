#include "metaserver/store/rows.h"

#include <sys/stat.h>

namespace cairn {

Status ParseRow(std::string_view key, std::string_view value, google::protobuf::MessageLite& row) {
  if (row.ParseFromArray(value.data(), static_cast<int>(value.size()))) return OkStatus();
  return Status::Error(ErrorCode::kCorruption, "a row of kind '{}' does not parse as {}",
                       key.substr(0, 1), row.GetTypeName());
}

Result<v1::InodeRecord> LoadInode(const ReadView& view, InodeId inode) {
  ASSIGN_OR_RETURN(auto row, LoadRow<v1::InodeRecord>(view, schema::InodeKey(inode)));
  if (!row) return Fail(ErrorCode::kStaleHandle, "inode {} is gone", inode);
  return *std::move(row);
}

Result<v1::InodeRecord> LoadDirectory(const ReadView& view, InodeId inode) {
  ASSIGN_OR_RETURN(auto row, LoadRow<v1::InodeRecord>(view, schema::InodeKey(inode)));
  if (!row) return Fail(ErrorCode::kNotFound, "directory {} is gone", inode);
  if (!IsDirectory(*row)) return Fail(ErrorCode::kNotDirectory, "inode {}", inode);
  return *std::move(row);
}

Result<v1::InodeRecord> LoadRegularFile(const ReadView& view, InodeId inode) {
  ASSIGN_OR_RETURN(v1::InodeRecord record, LoadInode(view, inode));
  if (IsDirectory(record)) return Fail(ErrorCode::kIsDirectory, "inode {}", inode);
  if (!IsRegularFile(record)) {
    return Fail(ErrorCode::kInvalidArgument, "inode {} is not a regular file", inode);
  }
  return record;
}

Result<std::optional<v1::DentryRecord>> FindEntry(const ReadView& view, InodeId parent,
                                                  std::string_view name) {
  return LoadRow<v1::DentryRecord>(view, schema::DentryKey(parent, name));
}

Result<v1::DentryRecord> LoadEntry(const ReadView& view, InodeId parent, std::string_view name) {
  ASSIGN_OR_RETURN(auto entry, FindEntry(view, parent, name));
  if (!entry) return Fail(ErrorCode::kNotFound, "no entry of this name in directory {}", parent);
  return *std::move(entry);
}

Result<bool> IsEmptyDirectory(const ReadView& view, InodeId inode) {
  bool empty = true;
  const std::string prefix = schema::DentryPrefix(inode);
  RETURN_IF_ERROR(view.Scan(prefix, prefix, [&](std::string_view, std::string_view) {
    empty = false;
    return false;
  }));
  return empty;
}

Result<v1::StateRecord> LoadState(const ReadView& view) {
  ASSIGN_OR_RETURN(auto state, LoadRow<v1::StateRecord>(view, schema::StateKey()));
  return state ? *std::move(state) : v1::StateRecord();
}

bool IsDirectory(const v1::InodeRecord& inode) {
  return S_ISDIR(inode.attributes().mode());
}
bool IsRegularFile(const v1::InodeRecord& inode) {
  return S_ISREG(inode.attributes().mode());
}
bool IsSymlink(const v1::InodeRecord& inode) {
  return S_ISLNK(inode.attributes().mode());
}

}  // namespace cairn
