#include "fuse_client/directory_stream.h"

namespace cairn::fuse {

namespace {
constexpr uint32_t kBatchEntries = 1000;

// The kernel resolves "." and ".." itself; their inode numbers are only shown.
DirectoryItem Dot(const char* name, InodeId inode, uint64_t cookie) {
  DirectoryItem item;
  item.name = name;
  item.cookie = cookie;
  item.attributes.st_ino = inode.value;
  item.attributes.st_mode = S_IFDIR;
  return item;
}
}  // namespace

Status DirectoryStream::Refill(MountedFileSystem& files, const Identity& who, uint64_t offset,
                               bool attributes) {
  next_ = 0;
  position_ = offset;
  with_attributes_ = attributes;
  batch_.clear();
  uint64_t cookie = offset <= kAfterDotDot ? 0 : offset;
  ASSIGN_OR_RETURN(batch_, files.ReadDirectory(who, inode_, cookie, kBatchEntries, attributes));
  return OkStatus();
}

Status DirectoryStream::ReadFrom(MountedFileSystem& files, const Identity& who, uint64_t offset,
                                 bool attributes, const Take& take) {
  if (offset == 0) {
    if (!take(Dot(".", inode_, kAfterDot))) return OkStatus();
    offset = kAfterDot;
  }
  if (offset == kAfterDot) {
    if (!take(Dot("..", inode_, kAfterDotDot))) return OkStatus();
    offset = kAfterDotDot;
  }
  bool goes_on =
      position_ == offset && next_ < batch_.size() && with_attributes_ == attributes;
  if (!goes_on) RETURN_IF_ERROR(Refill(files, who, offset, attributes));
  for (; next_ < batch_.size(); ++next_) {
    if (!take(batch_[next_])) return OkStatus();
    position_ = batch_[next_].cookie;
  }
  return OkStatus();
}

}  // namespace cairn::fuse
