#include <sys/stat.h>

#include "metaserver/operations/access.h"
#include "metaserver/operations/new_entry.h"
#include "metaserver/operations/operations.h"

namespace cairn {

namespace {

Status CheckType(uint32_t mode, const v1::Caller& caller) {
  switch (mode & S_IFMT) {
    case S_IFREG:
    case S_IFIFO:
    case S_IFSOCK:
      return OkStatus();
    case S_IFCHR:
    case S_IFBLK:
      if (IsRoot(caller)) return OkStatus();
      return Status(ErrorCode::kPermission, "only root makes device nodes");
    case S_IFDIR:
      return Status(ErrorCode::kPermission, "mknod makes no directories");
    default:
      return Status::Error(ErrorCode::kInvalidArgument, "mknod of mode {:o}", mode);
  }
}

}  // namespace

Result<v1::Outcome> MakeNode(const v1::Command& command, MetadataTransaction& txn) {
  const v1::MakeNodeRequest& request = command.make_node();
  const uint32_t type = (request.mode() & S_IFMT) == 0 ? S_IFREG : request.mode() & S_IFMT;
  const uint32_t mode = type | (request.mode() & 07777);
  ASSIGN_OR_RETURN(v1::InodeRecord parent,
                   LoadParentOfNew(txn, request.parent(), request.name(), request.caller()));
  RETURN_IF_ERROR(CheckType(mode, request.caller()));
  ASSIGN_OR_RETURN(v1::InodeRecord child, NewInode(command, txn, parent, request.caller(), mode));
  if (IsRegularFile(child)) RETURN_IF_ERROR(AddFileMap(command, txn, parent, child));
  if (S_ISCHR(mode) || S_ISBLK(mode)) child.mutable_attributes()->set_device(request.device());
  return StoreNewEntry(command, txn, parent, request.name(), child);
}

}  // namespace cairn
