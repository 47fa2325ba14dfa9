#include "metaserver/operations/access.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

namespace cairn {

namespace {

uint32_t RightsOf(const v1::Attributes& attributes, const v1::Caller& caller) {
  const uint32_t mode = attributes.mode();
  if (IsRoot(caller)) {
    const bool executable = S_ISDIR(mode) || (mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
    return kMayRead | kMayWrite | (executable ? kMayExecute : 0);
  }
  if (caller.uid() == attributes.uid()) return mode >> 6 & 7;
  if (InGroup(caller, attributes.gid())) return mode >> 3 & 7;
  return mode & 7;
}

uint32_t RightsToOpen(uint32_t flags) {
  uint32_t mask = 0;
  switch (flags & O_ACCMODE) {
    case O_RDONLY:
      mask = (flags & kOpenToExecute) != 0 ? kMayExecute : kMayRead;
      break;
    case O_WRONLY:
      mask = kMayWrite;
      break;
    default:
      mask = kMayRead | kMayWrite;
  }
  return (flags & O_TRUNC) != 0 ? mask | kMayWrite : mask;
}

}  // namespace

bool IsRoot(const v1::Caller& caller) {
  return caller.uid() == 0;
}

bool InGroup(const v1::Caller& caller, uint32_t gid) {
  return caller.gid() == gid ||
         std::find(caller.groups().begin(), caller.groups().end(), gid) != caller.groups().end();
}

bool IsOwner(const v1::Attributes& attributes, const v1::Caller& caller) {
  return IsRoot(caller) || caller.uid() == attributes.uid();
}

Status CheckAccess(const v1::Attributes& attributes, const v1::Caller& caller, uint32_t mask) {
  if ((RightsOf(attributes, caller) & mask) == mask) return OkStatus();
  return Status::Error(ErrorCode::kAccessDenied, "inode {} mode {:o} uid {}", attributes.inode(),
                       attributes.mode(), caller.uid());
}

Status CheckOpen(const v1::InodeRecord& inode, const v1::Caller& caller, uint32_t flags) {
  const v1::Attributes& attributes = inode.attributes();
  const uint32_t mask = RightsToOpen(flags);
  if (S_ISLNK(attributes.mode())) {
    return Status::Error(ErrorCode::kLoop, "inode {} is a symbolic link", attributes.inode());
  }
  if (S_ISDIR(attributes.mode()) && (mask & kMayWrite) != 0) {
    return Status::Error(ErrorCode::kIsDirectory, "inode {}", attributes.inode());
  }
  return CheckAccess(attributes, caller, mask);
}

Status CheckSticky(const v1::Attributes& directory, const v1::Attributes& victim,
                   const v1::Caller& caller) {
  if ((directory.mode() & S_ISVTX) == 0) return OkStatus();
  if (IsOwner(victim, caller) || IsOwner(directory, caller)) return OkStatus();
  return Status::Error(ErrorCode::kPermission, "directory {} is sticky", directory.inode());
}

uint32_t WithoutSetId(uint32_t mode) {
  // Set-group-id without group execution once meant mandatory locking and lends nothing.
  const uint32_t group = (mode & S_IXGRP) != 0 ? S_ISGID : 0;
  return mode & ~(S_ISUID | group);
}

}  // namespace cairn
