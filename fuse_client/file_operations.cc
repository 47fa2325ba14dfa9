// Callbacks of open files.
#include <sys/uio.h>

#include <memory>
#include <vector>

#include "fuse_client/fuse_bridge.h"

namespace cairn::fuse {

namespace {

// What fi->fh points to between open and release.
struct Handle {
  OpenFilePtr file;
};

Handle* HandleOf(const fuse_file_info* file) {
  return reinterpret_cast<Handle*>(file->fh);  // NOLINT(performance-no-int-to-ptr)
}

std::unique_ptr<Handle> PutHandle(MountedFileSystem::Opened& opened, fuse_file_info* file) {
  auto handle = std::make_unique<Handle>(Handle{std::move(opened.file)});
  file->fh = reinterpret_cast<uint64_t>(handle.get());
  file->keep_cache = opened.entry.keep_cache ? 1 : 0;
  return handle;
}

// A reply that was refused (the caller was killed) means that no release will come.
void SettleHandle(fuse_req_t request, std::unique_ptr<Handle> handle, MountedFileSystem& files,
                  int reply_error) {
  (void)request;  // freed by the reply
  if (reply_error == 0) {
    handle.release();  // NOLINT(bugprone-unused-return-value): the kernel holds it now
  } else {
    files.Release(std::move(handle->file));
  }
}

void Create(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode,
            fuse_file_info* file) {
  MountedFileSystem& files = FileSystemOf(request);
  Result<MountedFileSystem::Opened> opened =
      files.Create(CallerOf(request), InodeOf(parent), name, mode & 07777u, file->flags);
  if (!opened.has_value()) return ReplyStatus(request, opened.error());
  fuse_entry_param parameters = EntryParameters(opened->entry.attributes);
  std::unique_ptr<Handle> handle = PutHandle(*opened, file);
  SettleHandle(request, std::move(handle), files, fuse_reply_create(request, &parameters, file));
}

void Open(fuse_req_t request, fuse_ino_t inode, fuse_file_info* file) {
  MountedFileSystem& files = FileSystemOf(request);
  Result<MountedFileSystem::Opened> opened =
      files.Open(CallerOf(request), InodeOf(inode), file->flags);
  if (!opened.has_value()) return ReplyStatus(request, opened.error());
  std::unique_ptr<Handle> handle = PutHandle(*opened, file);
  SettleHandle(request, std::move(handle), files, fuse_reply_open(request, file));
}

void Read(fuse_req_t request, fuse_ino_t, size_t size, off_t offset, fuse_file_info* file) {
  Result<std::vector<Payload>> slices =
      FileSystemOf(request).Read(HandleOf(file)->file, static_cast<uint64_t>(offset), size);
  if (!slices.has_value()) return ReplyStatus(request, slices.error());
  std::vector<iovec> pieces;
  pieces.reserve(slices->size());
  for (const Payload& slice : *slices) {
    pieces.push_back({const_cast<std::byte*>(slice.bytes().data()), slice.size()});
  }
  fuse_reply_iov(request, pieces.data(), static_cast<int>(pieces.size()));
}

void Write(fuse_req_t request, fuse_ino_t, const char* data, size_t size, off_t offset,
           fuse_file_info* file) {
  // A page that the kernel writes back has its place, whatever the descriptor says.
  const int flags = file->writepage != 0 ? 0 : file->flags;
  Status status = FileSystemOf(request).Write(fuse_req_ctx(request)->uid, HandleOf(file)->file,
                                              static_cast<uint64_t>(offset),
                                              std::as_bytes(std::span(data, size)), flags);
  if (!status.ok()) return ReplyStatus(request, status);
  fuse_reply_write(request, size);
}

void Flush(fuse_req_t request, fuse_ino_t, fuse_file_info* file) {
  ReplyStatus(request, FileSystemOf(request).Flush(HandleOf(file)->file));
}

void Sync(fuse_req_t request, fuse_ino_t, int, fuse_file_info* file) {
  ReplyStatus(request, FileSystemOf(request).Fsync(HandleOf(file)->file));
}

void Release(fuse_req_t request, fuse_ino_t, fuse_file_info* file) {
  std::unique_ptr<Handle> handle(HandleOf(file));
  FileSystemOf(request).Release(std::move(handle->file));
  fuse_reply_err(request, 0);
}

}  // namespace

void AddFileOperations(fuse_lowlevel_ops& operations) {
  operations.create = Create;
  operations.open = Open;
  operations.read = Read;
  operations.write = Write;
  operations.flush = Flush;
  operations.fsync = Sync;
  operations.release = Release;
}

}  // namespace cairn::fuse
