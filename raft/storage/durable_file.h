// The steps by which files and names become durable. A sync that fails is kDiskFailed whatever its
// errno was: what the kernel could not write it may forget, so nothing is tried again (rule M4).
#pragma once

#include <string>
#include <string_view>

#include "common/file.h"

namespace cairn {

// Data and size are on disk on return.
Status SyncOrFail(File& file);
// Names made, changed and removed in `directory` are on disk on return.
Status SyncDirectoryOrFail(FileSystem& files, const std::string& directory);

// The directory that holds `path`.
std::string DirectoryOf(const std::string& path);

// Each is durable on return. Not kDiskFailed: nothing has changed.
Status RenameDurably(FileSystem& files, const std::string& from, const std::string& to);
Status RemoveDurably(FileSystem& files, const std::string& path);
// A crash leaves the old or the new contents, both whole. Uses `path`.tmp.
Status ReplaceDurably(FileSystem& files, const std::string& path, std::string_view contents);

// `cause` as kDiskFailed.
Status DiskFailed(const Status& cause);

}  // namespace cairn
