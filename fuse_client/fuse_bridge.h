// What every FUSE callback needs: the file system behind the request, the caller, the answers. Each
// callback builds the caller, calls client/, fills the reply; nothing else lives in this folder.
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include <functional>

#include "client/mounted_file_system.h"

namespace cairn::fuse {

// What libfuse hands to every callback.
struct MountContext {
  MountedFileSystem& files;
  std::function<void()> on_answering;
};

MountedFileSystem& FileSystemOf(fuse_req_t request);

// The calling process. Supplementary groups are read only for callers whom mode bits can refuse.
Identity CallerOf(fuse_req_t request);

inline InodeId InodeOf(fuse_ino_t inode) { return InodeId{inode}; }

// Kernel caches of names and attributes are off: other mounts' changes are seen at once.
inline constexpr double kEntryTimeout = 0.0;
inline constexpr double kAttributeTimeout = 0.0;

fuse_entry_param EntryParameters(const struct stat& attributes);

void ReplyStatus(fuse_req_t request, const Status& status);
void ReplyEntry(fuse_req_t request, const Result<Entry>& entry);
void ReplyAttributes(fuse_req_t request, const Result<Entry>& entry);

// One function per callback family fills its part of the table.
void AddNameOperations(fuse_lowlevel_ops& operations);
void AddAttributeOperations(fuse_lowlevel_ops& operations);
void AddDirectoryOperations(fuse_lowlevel_ops& operations);
void AddFileOperations(fuse_lowlevel_ops& operations);

}  // namespace cairn::fuse
