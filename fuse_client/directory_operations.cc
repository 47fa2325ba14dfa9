// Callbacks of open directories.
#include <memory>
#include <vector>

#include "fuse_client/directory_stream.h"
#include "fuse_client/fuse_bridge.h"

namespace cairn::fuse {

namespace {

DirectoryStream* StreamOf(const fuse_file_info* file) {
  return reinterpret_cast<DirectoryStream*>(file->fh);  // NOLINT(performance-no-int-to-ptr)
}

void OpenDirectory(fuse_req_t request, fuse_ino_t inode, fuse_file_info* file) {
  constexpr uint32_t kRead = 4;  // R_OK
  Status allowed = FileSystemOf(request).CheckAccess(CallerOf(request), InodeOf(inode), kRead);
  if (!allowed.ok()) return ReplyStatus(request, allowed);
  auto stream = std::make_unique<DirectoryStream>(InodeOf(inode));
  file->fh = reinterpret_cast<uint64_t>(stream.get());
  if (fuse_reply_open(request, file) == 0) stream.release();  // else nobody will release it
}

void ReleaseDirectory(fuse_req_t request, fuse_ino_t, fuse_file_info* file) {
  delete StreamOf(file);
  fuse_reply_err(request, 0);
}

void SyncDirectory(fuse_req_t request, fuse_ino_t inode, int, fuse_file_info*) {
  ReplyStatus(request, FileSystemOf(request).FsyncDirectory(InodeOf(inode)));
}

// Appends one entry to the reply buffer; answers its size, over the room left when it does not fit.
using Append = size_t (*)(fuse_req_t, char* to, size_t room, const DirectoryItem&);

size_t AppendPlain(fuse_req_t request, char* to, size_t room, const DirectoryItem& item) {
  return fuse_add_direntry(request, to, room, item.name.c_str(), &item.attributes,
                           static_cast<off_t>(item.cookie));
}

size_t AppendPlus(fuse_req_t request, char* to, size_t room, const DirectoryItem& item) {
  fuse_entry_param parameters = EntryParameters(item.attributes);
  if (item.cookie <= DirectoryStream::kAfterDotDot) parameters.ino = 0;  // "." and "..": no lookup
  return fuse_add_direntry_plus(request, to, room, item.name.c_str(), &parameters,
                                static_cast<off_t>(item.cookie));
}

void FillReply(fuse_req_t request, fuse_ino_t, size_t size, off_t offset, fuse_file_info* file,
               bool attributes, Append append) {
  std::vector<char> buffer(size);
  size_t used = 0;
  Status status = StreamOf(file)->ReadFrom(
      FileSystemOf(request), CallerOf(request), static_cast<uint64_t>(offset), attributes,
      [&](const DirectoryItem& item) {
        size_t needed = append(request, buffer.data() + used, size - used, item);
        if (needed > size - used) return false;
        used += needed;
        return true;
      });
  if (!status.ok() && used == 0) return ReplyStatus(request, status);
  fuse_reply_buf(request, buffer.data(), used);
}

void ReadDirectory(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
                   fuse_file_info* file) {
  FillReply(request, inode, size, offset, file, false, AppendPlain);
}

void ReadDirectoryPlus(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
                       fuse_file_info* file) {
  FillReply(request, inode, size, offset, file, true, AppendPlus);
}

}  // namespace

void AddDirectoryOperations(fuse_lowlevel_ops& operations) {
  operations.opendir = OpenDirectory;
  operations.releasedir = ReleaseDirectory;
  operations.fsyncdir = SyncDirectory;
  operations.readdir = ReadDirectory;
  operations.readdirplus = ReadDirectoryPlus;
}

}  // namespace cairn::fuse
