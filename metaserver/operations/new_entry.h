// What create, mknod, mkdir and symlink have in common.
#pragma once

#include <string_view>

#include "cairn/v1/command.pb.h"
#include "common/ids.h"
#include "common/status.h"
#include "metaserver/store/transaction.h"

namespace cairn {

inline constexpr uint32_t kMaxLinks = 0x7fffffff;

// Whether the command is one of these, and needs a new inode id.
bool MakesInode(const v1::Command& command);

// The directory in which `name` is about to be looked up. kNotFound, kNotDirectory, kAccessDenied
// (not searchable), or what is wrong with the name.
Result<v1::InodeRecord> LoadParent(const MetadataTransaction& txn, uint64_t parent,
                                   std::string_view name, const v1::Caller& caller);

// The same, for an entry that is not there yet. kExists comes before kAccessDenied, as on Linux.
Result<v1::InodeRecord> LoadParentOfNew(const MetadataTransaction& txn, uint64_t parent,
                                        std::string_view name, const v1::Caller& caller);

// An inode under the command's new id with owner, group and times as POSIX wants them below
// `parent`, whose set-group-id bit is handed down. `mode`: type and permission bits.
// kInternal: the command's id is not from a reserved range (rule M1).
Result<v1::InodeRecord> NewInode(const v1::Command& command, const MetadataTransaction& txn,
                                 const v1::InodeRecord& parent, const v1::Caller& caller,
                                 uint32_t mode);

// Gives a new regular file its layout: as the policy of `parent` says, else in the default pool.
Status AddFileMap(const v1::Command& command, const MetadataTransaction& txn,
                  const v1::InodeRecord& parent, v1::InodeRecord& inode);

// Writes child, entry and parent; the outcome names the child.
// kTooManyLinks: a directory more would overflow the parent's count.
Result<v1::Outcome> StoreNewEntry(const v1::Command& command, MetadataTransaction& txn,
                                  v1::InodeRecord& parent, std::string_view name,
                                  v1::InodeRecord& child);

}  // namespace cairn
