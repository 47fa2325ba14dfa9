#include "metaserver/operations/new_entry.h"

#include <sys/stat.h>

#include "metaserver/operations/access.h"
#include "metaserver/operations/names.h"
#include "metaserver/operations/pools.h"
#include "metaserver/operations/times.h"

namespace cairn {

bool MakesInode(const v1::Command& command) {
  switch (command.operation_case()) {
    case v1::Command::kCreate:
    case v1::Command::kMakeNode:
    case v1::Command::kMakeDirectory:
    case v1::Command::kMakeSymlink:
      return true;
    default:
      return false;
  }
}

Result<v1::InodeRecord> LoadParent(const MetadataTransaction& txn, uint64_t parent,
                                   std::string_view name, const v1::Caller& caller) {
  RETURN_IF_ERROR(CheckName(name));
  ASSIGN_OR_RETURN(v1::InodeRecord record, LoadDirectory(txn, InodeId(parent)));
  RETURN_IF_ERROR(CheckAccess(record.attributes(), caller, kMayExecute));
  return record;
}

Result<v1::InodeRecord> LoadParentOfNew(const MetadataTransaction& txn, uint64_t parent,
                                        std::string_view name, const v1::Caller& caller) {
  ASSIGN_OR_RETURN(v1::InodeRecord record, LoadParent(txn, parent, name, caller));
  ASSIGN_OR_RETURN(auto entry, FindEntry(txn, InodeId(parent), name));
  if (entry) return Fail(ErrorCode::kExists, "the name is taken in directory {}", parent);
  RETURN_IF_ERROR(CheckAccess(record.attributes(), caller, kMayWrite));
  return record;
}

Result<v1::InodeRecord> NewInode(const v1::Command& command, const MetadataTransaction& txn,
                                 const v1::InodeRecord& parent, const v1::Caller& caller,
                                 uint32_t mode) {
  if (command.new_inode() <= kRootInode.value || command.new_inode() >= txn.state().next_inode()) {
    return Fail(ErrorCode::kInternal, "inode id {} was never reserved", command.new_inode());
  }
  const bool hands_group_down = (parent.attributes().mode() & S_ISGID) != 0;
  const uint32_t gid = hands_group_down ? parent.attributes().gid() : caller.gid();
  if (S_ISDIR(mode)) {
    if (hands_group_down) mode |= S_ISGID;
  } else if ((mode & S_ISGID) != 0 && (mode & S_IXGRP) != 0 && !IsRoot(caller) &&
             !InGroup(caller, gid)) {
    mode &= ~static_cast<uint32_t>(S_ISGID);  // a group cannot be lent by one who is not in it
  }
  v1::InodeRecord inode;
  v1::Attributes& attributes = *inode.mutable_attributes();
  attributes.set_inode(command.new_inode());
  attributes.set_mode(mode);
  attributes.set_links(S_ISDIR(mode) ? 2 : 1);
  attributes.set_uid(caller.uid());
  attributes.set_gid(gid);
  MarkBorn(inode, command.time());
  return inode;
}

Status AddFileMap(const v1::Command& command, const MetadataTransaction& txn,
                  const v1::InodeRecord& parent, v1::InodeRecord& inode) {
  const v1::LayoutPolicy& policy = parent.layout_policy();
  const PoolId pool_id = PoolOf(policy);
  ASSIGN_OR_RETURN(auto pool, LoadRow<v1::Pool>(txn, schema::PoolKey(pool_id)));
  if (!pool) return Status::Error(ErrorCode::kInternal, "there is no pool {}", pool_id);
  v1::Layout& layout = *inode.mutable_file()->mutable_layout();
  layout.set_pool(pool->id());
  layout.set_generation(pool->generation());
  layout.set_seed(command.layout_seed());
  layout.set_chunk_size(ChunkSizeOf(policy, *pool));
  return OkStatus();
}

Result<v1::Outcome> StoreNewEntry(const v1::Command& command, MetadataTransaction& txn,
                                  v1::InodeRecord& parent, std::string_view name,
                                  v1::InodeRecord& child) {
  v1::Attributes& parent_attributes = *parent.mutable_attributes();
  if (IsDirectory(child)) {
    if (parent_attributes.links() >= kMaxLinks) {
      return Fail(ErrorCode::kTooManyLinks, "directory {}", parent_attributes.inode());
    }
    parent_attributes.set_links(parent_attributes.links() + 1);  // the child's ".."
    child.set_parent(parent_attributes.inode());
  }
  txn.AddInode(child);
  txn.AddEntry(InodeId(parent_attributes.inode()), name, InodeId(child.attributes().inode()),
               child.attributes().mode());
  MarkModified(parent, command.time());
  txn.StoreInode(parent);
  v1::Outcome outcome;
  outcome.set_inode(child.attributes().inode());
  outcome.set_created(true);
  return outcome;
}

}  // namespace cairn
