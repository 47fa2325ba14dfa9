// One command of the replicated log and its place in it.
#pragma once

#include <string>

#include "common/ids.h"

namespace cairn {

struct LogEntry {
  Term term;
  LogIndex index;  // the first entry ever is 1; 0 is before all
  std::string command;
};

}  // namespace cairn
