// A file of a cluster, named by its path below a mount of this machine.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "cli/cluster_lookup.h"
#include "common/status.h"

namespace cairn {

struct LocalFile {
  uint64_t inode = 0;
  mode_t mode = 0;
  std::string mount_source;
};

// The path itself may be a symbolic link and is not followed; what leads to it is. Never hangs.
// kInvalidArgument: it is not on a Cairn mount; kUnavailable: the mount does not answer.
Result<LocalFile> FindLocalFile(const std::string& path);

// kNotDirectory says what it is instead of a directory.
Status CheckDirectory(const std::string& path, const LocalFile& file);

// A mount knows its cluster best: where the options name none, they name the file's from now on.
void UseClusterOf(const LocalFile& file, ClusterOptions& options);

}  // namespace cairn
