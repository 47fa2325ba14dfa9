#include "metaserver/operations/new_entry.h"
#include "metaserver/operations/operations.h"
#include "metaserver/operations/times.h"

namespace cairn {

Result<v1::Outcome> Link(const v1::Command& command, MetadataTransaction& txn) {
  const v1::LinkRequest& request = command.link();
  ASSIGN_OR_RETURN(v1::InodeRecord inode, LoadInode(txn, InodeId(request.inode())));
  v1::Attributes& attributes = *inode.mutable_attributes();
  if (IsDirectory(inode)) return Fail(ErrorCode::kPermission, "a directory has one name");
  if (attributes.links() == 0) return Fail(ErrorCode::kNotFound, "inode {}", request.inode());
  if (attributes.links() >= kMaxLinks) {
    return Fail(ErrorCode::kTooManyLinks, "inode {}", request.inode());
  }
  ASSIGN_OR_RETURN(v1::InodeRecord parent, LoadParentOfNew(txn, request.new_parent(),
                                                           request.new_name(), request.caller()));
  txn.AddEntry(InodeId(request.new_parent()), request.new_name(), InodeId(request.inode()),
               attributes.mode());
  attributes.set_links(attributes.links() + 1);
  MarkChanged(inode, command.time());
  txn.StoreInode(inode);
  MarkModified(parent, command.time());
  txn.StoreInode(parent);
  v1::Outcome outcome;
  outcome.set_inode(request.inode());
  return outcome;
}

}  // namespace cairn
