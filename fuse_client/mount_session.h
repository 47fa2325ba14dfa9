// One mounted FUSE session: from the kernel's first word to its last.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "client/mounted_file_system.h"
#include "common/status.h"

namespace cairn::fuse {

struct SessionOptions {
  std::string source;  // shown by mount(8) and df(1); tells one cluster's mounts from another's
  std::string mount_point;
  std::vector<std::string> kernel_options;
  std::function<void()>
      on_answering;  // called once the kernel has been answered for the first time
};

// Mounts, serves until unmounted or told by SIGTERM or SIGINT, unmounts. Callbacks run on libfuse's
// own threads, as many as there are calls that wait. An error says why the mount could not be made
// or, kUnavailable, that it was made and did not answer. On return SIGTERM, SIGINT and SIGHUP are
// passed over once, so that the caller can write back what is buffered.
Status ServeMount(MountedFileSystem& files, const SessionOptions& options);

}  // namespace cairn::fuse
