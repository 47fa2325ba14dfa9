// Typed reading of rows, from a view of the store or from a transaction on top of one.
#pragma once

#include <google/protobuf/message_lite.h>

#include <optional>
#include <string>
#include <string_view>

#include "cairn/v1/records.pb.h"
#include "common/ids.h"
#include "common/status.h"
#include "metaserver/store/kv_store.h"
#include "metaserver/store/schema.h"

namespace cairn {

// kCorruption, naming the kind of row: the bytes do not parse.
Status ParseRow(std::string_view key, std::string_view value, google::protobuf::MessageLite& row);

// nullopt: no such row.
template <typename Row>
Result<std::optional<Row>> LoadRow(const ReadView& view, std::string_view key) {
  ASSIGN_OR_RETURN(std::optional<std::string> value, view.Get(key));
  std::optional<Row> row;
  if (value) RETURN_IF_ERROR(ParseRow(key, *value, row.emplace()));
  return row;
}

// kStaleHandle: the inode is gone, or never was.
Result<v1::InodeRecord> LoadInode(const ReadView& view, InodeId inode);
// kNotFound: gone, as POSIX says of a removed directory; kNotDirectory: something else.
Result<v1::InodeRecord> LoadDirectory(const ReadView& view, InodeId inode);
// kStaleHandle: gone; kIsDirectory or kInvalidArgument: not a regular file.
Result<v1::InodeRecord> LoadRegularFile(const ReadView& view, InodeId inode);
Result<std::optional<v1::DentryRecord>> FindEntry(const ReadView& view, InodeId parent,
                                                  std::string_view name);
// kNotFound: no entry of this name.
Result<v1::DentryRecord> LoadEntry(const ReadView& view, InodeId parent, std::string_view name);
Result<bool> IsEmptyDirectory(const ReadView& view, InodeId inode);
// The default record before the cluster is founded.
Result<v1::StateRecord> LoadState(const ReadView& view);

bool IsDirectory(const v1::InodeRecord& inode);
bool IsRegularFile(const v1::InodeRecord& inode);
bool IsSymlink(const v1::InodeRecord& inode);

}  // namespace cairn
