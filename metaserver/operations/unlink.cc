#include "metaserver/operations/access.h"
#include "metaserver/operations/drop_link.h"
#include "metaserver/operations/new_entry.h"
#include "metaserver/operations/operations.h"
#include "metaserver/operations/times.h"

namespace cairn {

Result<v1::Outcome> Unlink(const v1::Command& command, MetadataTransaction& txn) {
  const v1::UnlinkRequest& request = command.unlink();
  const InodeId parent_id(request.parent());
  ASSIGN_OR_RETURN(v1::InodeRecord parent,
                   LoadParent(txn, request.parent(), request.name(), request.caller()));
  ASSIGN_OR_RETURN(const v1::DentryRecord entry, LoadEntry(txn, parent_id, request.name()));
  ASSIGN_OR_RETURN(v1::InodeRecord victim, LoadInode(txn, InodeId(entry.inode())));
  RETURN_IF_ERROR(CheckAccess(parent.attributes(), request.caller(), kMayWrite));
  RETURN_IF_ERROR(CheckSticky(parent.attributes(), victim.attributes(), request.caller()));
  if (IsDirectory(victim)) return Fail(ErrorCode::kIsDirectory, "inode {}", entry.inode());

  txn.RemoveEntry(parent_id, request.name());
  MarkModified(parent, command.time());
  txn.StoreInode(parent);
  v1::Outcome outcome;
  outcome.set_inode(entry.inode());
  ASSIGN_OR_RETURN(const bool still_open, DropLink(command, victim, txn));
  outcome.set_still_open(still_open);
  return outcome;
}

}  // namespace cairn
