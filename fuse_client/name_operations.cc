// Callbacks that make, find and remove names.
#include "fuse_client/fuse_bridge.h"

namespace cairn::fuse {

namespace {

void Lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  ReplyEntry(request, FileSystemOf(request).Lookup(CallerOf(request), InodeOf(parent), name));
}

// Inode ids are the cluster's and never reused: there is no table to shrink.
void Forget(fuse_req_t request, fuse_ino_t, uint64_t) { fuse_reply_none(request); }
void ForgetMany(fuse_req_t request, size_t, fuse_forget_data*) { fuse_reply_none(request); }

void MakeNode(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, dev_t device) {
  ReplyEntry(request, FileSystemOf(request).MakeNode(CallerOf(request), InodeOf(parent), name, mode,
                                                     device));
}

void MakeDirectory(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode) {
  ReplyEntry(request,
             FileSystemOf(request).MakeDirectory(CallerOf(request), InodeOf(parent), name, mode));
}

void MakeSymlink(fuse_req_t request, const char* target, fuse_ino_t parent, const char* name) {
  ReplyEntry(request,
             FileSystemOf(request).MakeSymlink(CallerOf(request), InodeOf(parent), name, target));
}

void Link(fuse_req_t request, fuse_ino_t inode, fuse_ino_t new_parent, const char* new_name) {
  ReplyEntry(request, FileSystemOf(request).Link(CallerOf(request), InodeOf(inode),
                                                 InodeOf(new_parent), new_name));
}

void Unlink(fuse_req_t request, fuse_ino_t parent, const char* name) {
  ReplyStatus(request, FileSystemOf(request).Unlink(CallerOf(request), InodeOf(parent), name));
}

void RemoveDirectory(fuse_req_t request, fuse_ino_t parent, const char* name) {
  ReplyStatus(request,
              FileSystemOf(request).RemoveDirectory(CallerOf(request), InodeOf(parent), name));
}

void Rename(fuse_req_t request, fuse_ino_t parent, const char* name, fuse_ino_t new_parent,
            const char* new_name, unsigned flags) {
  ReplyStatus(request, FileSystemOf(request).Rename(CallerOf(request), InodeOf(parent), name,
                                                    InodeOf(new_parent), new_name, flags));
}

void ReadSymlink(fuse_req_t request, fuse_ino_t inode) {
  Result<std::string> target = FileSystemOf(request).ReadSymlink(InodeOf(inode));
  if (!target.has_value()) return ReplyStatus(request, target.error());
  fuse_reply_readlink(request, target->c_str());
}

}  // namespace

void AddNameOperations(fuse_lowlevel_ops& operations) {
  operations.lookup = Lookup;
  operations.forget = Forget;
  operations.forget_multi = ForgetMany;
  operations.mknod = MakeNode;
  operations.mkdir = MakeDirectory;
  operations.symlink = MakeSymlink;
  operations.link = Link;
  operations.unlink = Unlink;
  operations.rmdir = RemoveDirectory;
  operations.rename = Rename;
  operations.readlink = ReadSymlink;
}

}  // namespace cairn::fuse
