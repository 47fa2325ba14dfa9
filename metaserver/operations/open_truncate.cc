#include <fcntl.h>

#include "metaserver/operations/access.h"
#include "metaserver/operations/file_cuts.h"
#include "metaserver/operations/operations.h"

namespace cairn {

Result<v1::Outcome> OpenTruncate(const v1::Command& command, MetadataTransaction& txn) {
  const v1::OpenRequest& request = command.open_truncate().request();
  ASSIGN_OR_RETURN(v1::InodeRecord inode, LoadRegularFile(txn, InodeId(request.inode())));
  RETURN_IF_ERROR(CheckOpen(inode, request.caller(), request.flags() | O_TRUNC));
  RETURN_IF_ERROR(TruncateFile(command, request.caller(), 0, inode, txn));
  txn.StoreInode(inode);
  v1::Outcome outcome;
  outcome.set_inode(request.inode());
  return outcome;
}

}  // namespace cairn
