// A FileSystem that does what its FaultPlan says before it asks the one below. Thread-safe.
#pragma once

#include <memory>

#include "common/fault_plan.h"
#include "common/file.h"

namespace cairn {

// `below` and `plan` must outlive the returned object.
std::unique_ptr<FileSystem> MakeFaultyFileSystem(FileSystem& below, FaultPlan& plan);

}  // namespace cairn
