// Moving all copies from a chunkserver or a disk to others, and waiting until that is done.
#pragma once

#include <optional>

#include "cli/disk_target.h"
#include "cli/verb.h"

namespace cairn {

struct DrainOptions {
  ClusterOptions cluster;
  DiskTarget target;
  bool wait = false;
  std::optional<int> timeout_s;  // none: until it is empty
};

// All but the target.
void AddDrainOptions(CLI::App& verb, DrainOptions& options);

// A drain that is under way goes on however this ends.
Result<ExitCode> Drain(const DrainOptions& options, const Console& console);

}  // namespace cairn
