// What `cairn`, and a mount it starts, tell the shell.
#pragma once

#include "common/status.h"

namespace cairn {

enum class ExitCode : int {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,
  kNotFound = 3,
  kDenied = 4,
  kUnavailable = 5,
  kRefused = 6,      // for safety
  kPartial = 7,
  kInterrupted = 130,
};

ExitCode ExitCodeOf(const Status& status);

}  // namespace cairn
