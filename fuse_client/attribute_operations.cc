// Callbacks about attributes, rights and space.
#include <sys/statvfs.h>

#include "fuse_client/fuse_bridge.h"

namespace cairn::fuse {

namespace {

void GetAttributes(fuse_req_t request, fuse_ino_t inode, fuse_file_info*) {
  ReplyAttributes(request, FileSystemOf(request).GetAttributes(InodeOf(inode)));
}

WallTime ToWallTime(const timespec& time) {
  return {time.tv_sec, static_cast<uint32_t>(time.tv_nsec)};
}

SetAttributes ChangeFrom(const struct stat& attributes, int to_set, const fuse_file_info* file) {
  SetAttributes change;
  if (to_set & FUSE_SET_ATTR_MODE) change.mode = attributes.st_mode & 07777u;
  if (to_set & FUSE_SET_ATTR_UID) change.uid = attributes.st_uid;
  if (to_set & FUSE_SET_ATTR_GID) change.gid = attributes.st_gid;
  if (to_set & FUSE_SET_ATTR_SIZE) change.size = static_cast<uint64_t>(attributes.st_size);
  change.access_time_now = (to_set & FUSE_SET_ATTR_ATIME_NOW) != 0;
  change.modify_time_now = (to_set & FUSE_SET_ATTR_MTIME_NOW) != 0;
  if ((to_set & FUSE_SET_ATTR_ATIME) && !change.access_time_now) {
    change.access_time = ToWallTime(attributes.st_atim);
  }
  if ((to_set & FUSE_SET_ATTR_MTIME) && !change.modify_time_now) {
    change.modify_time = ToWallTime(attributes.st_mtim);
  }
  change.by_open_handle = file != nullptr;
  return change;
}

void SetAttributesCallback(fuse_req_t request, fuse_ino_t inode, struct stat* attributes,
                           int to_set, fuse_file_info* file) {
  ReplyAttributes(request,
                  FileSystemOf(request).SetAttributesOf(CallerOf(request), InodeOf(inode),
                                                        ChangeFrom(*attributes, to_set, file)));
}

void CheckAccess(fuse_req_t request, fuse_ino_t inode, int mask) {
  ReplyStatus(request, FileSystemOf(request).CheckAccess(CallerOf(request), InodeOf(inode),
                                                         static_cast<uint32_t>(mask)));
}

void StatFs(fuse_req_t request, fuse_ino_t) {
  Result<FileSystemSpace> space = FileSystemOf(request).Space();
  if (!space.has_value()) return ReplyStatus(request, space.error());
  constexpr uint64_t kInodeRoom = uint64_t{1} << 40;  // ids are 64-bit: there is no real limit
  struct statvfs answer {};
  answer.f_bsize = kBlockSize;
  answer.f_frsize = kBlockSize;
  answer.f_blocks = space->total_bytes / kBlockSize;
  answer.f_bfree = space->available_bytes / kBlockSize;
  answer.f_bavail = answer.f_bfree;
  answer.f_files = space->inodes + kInodeRoom;
  answer.f_ffree = kInodeRoom;
  answer.f_favail = kInodeRoom;
  answer.f_namemax = kMaxNameBytes;
  fuse_reply_statfs(request, &answer);
}

}  // namespace

void AddAttributeOperations(fuse_lowlevel_ops& operations) {
  operations.getattr = GetAttributes;
  operations.setattr = SetAttributesCallback;
  operations.access = CheckAccess;
  operations.statfs = StatFs;
}

}  // namespace cairn::fuse
