#include "metaserver/operations/operations.h"

namespace cairn {

Result<v1::Outcome> RemoveOrphan(const v1::Command& command, MetadataTransaction& txn) {
  const InodeId inode(command.remove_orphan().inode());
  v1::Outcome outcome;
  outcome.set_inode(inode.value);
  ASSIGN_OR_RETURN(auto orphan, LoadRow<v1::OrphanRecord>(txn, schema::OrphanKey(inode)));
  if (!orphan) return outcome;
  if (!orphan->holders().empty()) return Fail(ErrorCode::kBusy, "inode {} is held open", inode);
  ASSIGN_OR_RETURN(const auto record, LoadRow<v1::InodeRecord>(txn, schema::InodeKey(inode)));
  txn.Erase(schema::OrphanKey(inode));
  if (record) txn.RemoveInode(*record);
  return outcome;
}

}  // namespace cairn
