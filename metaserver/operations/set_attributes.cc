#include <sys/stat.h>

#include "metaserver/operations/access.h"
#include "metaserver/operations/file_cuts.h"
#include "metaserver/operations/operations.h"
#include "metaserver/operations/times.h"

namespace cairn {

namespace {

Status CheckMode(const v1::SetAttributesRequest& request, const v1::InodeRecord& inode) {
  if (!request.has_mode()) return OkStatus();
  if (IsSymlink(inode)) return Status(ErrorCode::kNotSupported, "chmod of a symbolic link");
  if (IsOwner(inode.attributes(), request.caller())) return OkStatus();
  return Status::Error(ErrorCode::kPermission, "chmod of inode {}", request.inode());
}

Status CheckOwnership(const v1::SetAttributesRequest& request, const v1::InodeRecord& inode) {
  const v1::Attributes& attributes = inode.attributes();
  const v1::Caller& caller = request.caller();
  if (IsRoot(caller) || (!request.has_uid() && !request.has_gid())) return OkStatus();
  const bool owner = caller.uid() == attributes.uid();
  const bool uid_ok = !request.has_uid() || (owner && request.uid() == attributes.uid());
  const bool gid_ok =
      !request.has_gid() ||
      (owner && (request.gid() == attributes.gid() || InGroup(caller, request.gid())));
  if (uid_ok && gid_ok) return OkStatus();
  return Status::Error(ErrorCode::kPermission, "chown of inode {}", request.inode());
}

Status CheckTimes(const v1::SetAttributesRequest& request, const v1::InodeRecord& inode) {
  RETURN_IF_ERROR(CheckTime(request.access_time()));
  RETURN_IF_ERROR(CheckTime(request.modify_time()));
  const bool chosen = request.has_access_time() || request.has_modify_time();
  const bool now = request.access_time_now() || request.modify_time_now();
  if ((!chosen && !now) || IsOwner(inode.attributes(), request.caller())) return OkStatus();
  // As Linux has it: whoever may write may set both to now, and nothing else.
  const bool touch = request.access_time_now() && request.modify_time_now();
  if (chosen || !touch) {
    return Status::Error(ErrorCode::kPermission, "times of inode {}", request.inode());
  }
  return CheckAccess(inode.attributes(), request.caller(), kMayWrite);
}

Status CheckSize(const v1::SetAttributesRequest& request, const v1::InodeRecord& inode) {
  if (!request.has_size()) return OkStatus();
  if (IsDirectory(inode)) {
    return Status::Error(ErrorCode::kIsDirectory, "truncation of inode {}", request.inode());
  }
  if (!IsRegularFile(inode)) {
    return Status::Error(ErrorCode::kInvalidArgument, "truncation of inode {}", request.inode());
  }
  if (request.by_open_handle()) return OkStatus();
  return CheckAccess(inode.attributes(), request.caller(), kMayWrite);
}

void SetOwnership(const v1::SetAttributesRequest& request, v1::Attributes& attributes) {
  if (!request.has_uid() && !request.has_gid()) return;
  if (request.has_uid()) attributes.set_uid(request.uid());
  if (request.has_gid()) attributes.set_gid(request.gid());
  if (!S_ISDIR(attributes.mode())) attributes.set_mode(WithoutSetId(attributes.mode()));
}

void SetMode(const v1::SetAttributesRequest& request, v1::Attributes& attributes) {
  if (!request.has_mode()) return;
  uint32_t bits = request.mode() & 07777;
  if (!IsRoot(request.caller()) && !InGroup(request.caller(), attributes.gid())) bits &= ~02000u;
  attributes.set_mode((attributes.mode() & S_IFMT) | bits);
}

void SetTimes(const v1::SetAttributesRequest& request, const v1::Time& now,
              v1::Attributes& attributes) {
  if (request.has_access_time()) *attributes.mutable_access_time() = request.access_time();
  if (request.has_modify_time()) *attributes.mutable_modify_time() = request.modify_time();
  if (request.access_time_now()) *attributes.mutable_access_time() = now;
  if (request.modify_time_now()) *attributes.mutable_modify_time() = now;
}

}  // namespace

Result<v1::Outcome> SetAttributes(const v1::Command& command, MetadataTransaction& txn) {
  const v1::SetAttributesRequest& request = command.set_attributes();
  ASSIGN_OR_RETURN(v1::InodeRecord inode, LoadInode(txn, InodeId(request.inode())));
  RETURN_IF_ERROR(CheckMode(request, inode));
  RETURN_IF_ERROR(CheckOwnership(request, inode));
  RETURN_IF_ERROR(CheckTimes(request, inode));
  RETURN_IF_ERROR(CheckSize(request, inode));

  if (request.has_size()) {
    RETURN_IF_ERROR(TruncateFile(command, request.caller(), request.size(), inode, txn));
  }
  v1::Attributes& attributes = *inode.mutable_attributes();
  SetOwnership(request, attributes);
  SetMode(request, attributes);
  SetTimes(request, command.time(), attributes);
  MarkChanged(inode, command.time());
  txn.StoreInode(inode);
  v1::Outcome outcome;
  outcome.set_inode(request.inode());
  return outcome;
}

}  // namespace cairn
