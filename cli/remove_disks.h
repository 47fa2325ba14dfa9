// Taking a chunkserver or a disk out of the cluster for good.
#pragma once

#include <string>

#include "cli/disk_target.h"
#include "cli/output.h"
#include "cli/verb.h"

namespace cairn {

struct Removal {
  ClusterOptions cluster;
  DiskTarget target;
  uint32_t give_up_groups = 0;  // that may be nowhere else (decision 0008)
  std::string hint;             // what people may do once it is out
};

void AddGiveUpOption(CLI::App& verb, Removal& removal);

// kNotEmpty: one of the disks keeps copies that are needed; nothing is removed then.
// kInvalidArgument: groups shall be given up with several disks at once.
Result<ExitCode> RemoveDisks(const Removal& removal, const Console& console);

}  // namespace cairn
