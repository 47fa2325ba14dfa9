// The whole of `cairn` but for main().
#pragma once

#include <string>
#include <vector>

#include "cli/output.h"
#include "common/exit_code.h"

namespace cairn {

// `arguments` without the program's name. What was asked for goes to console.out; an error is one
// line on console.err, "cairn: CAUSE" (a quoted log may follow).
ExitCode RunCairn(std::vector<std::string> arguments, const Console& console);

}  // namespace cairn
