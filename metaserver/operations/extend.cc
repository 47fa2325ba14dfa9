#include "metaserver/operations/extenders.h"
#include "metaserver/operations/file_cuts.h"
#include "metaserver/operations/operations.h"

namespace cairn {

Result<v1::Outcome> Extend(const v1::Command& command, MetadataTransaction& txn) {
  const v1::ExtendRequest& request = command.extend();
  const InodeId id(request.inode());
  if (request.id().session() == 0) {
    return Fail(ErrorCode::kInvalidArgument, "inode {} extended by no session", id);
  }
  ASSIGN_OR_RETURN(v1::InodeRecord inode, LoadRegularFile(txn, id));
  RETURN_IF_ERROR(CheckNotLeaving(txn, inode));
  RETURN_IF_ERROR(CheckRun(request.chunks()));
  if (request.chunks().count() > kMaxExtendChunks) {
    return Fail(ErrorCode::kTooLarge, "{} chunks announced for inode {}", request.chunks().count(),
                id);
  }
  ASSIGN_OR_RETURN(const bool cut, CutForTheGone(inode, txn));
  if (cut) txn.StoreInode(inode);
  RETURN_IF_ERROR(AddExtender(id, SessionId(request.id().session()), request.chunks(), txn));
  v1::Outcome outcome;
  outcome.set_inode(id.value);
  return outcome;
}

}  // namespace cairn
