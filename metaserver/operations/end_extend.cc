#include "metaserver/operations/extenders.h"
#include "metaserver/operations/operations.h"

namespace cairn {

Result<v1::Outcome> EndExtend(const v1::Command& command, MetadataTransaction& txn) {
  const SessionId session(command.end_extend().session());
  for (const uint64_t id : command.end_extend().inodes()) {
    ASSIGN_OR_RETURN(auto inode,
                     LoadRow<v1::InodeRecord>(txn, schema::InodeKey(InodeId(id))));
    if (!inode) continue;  // removed meanwhile, and its row with it
    ASSIGN_OR_RETURN(const bool cut, RemoveExtender(session, *inode, txn));
    if (cut) txn.StoreInode(*inode);
  }
  return v1::Outcome();
}

}  // namespace cairn
