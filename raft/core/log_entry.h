// One entry of the replicated log and its place in it.
#pragma once

#include <cstdint>
#include <string>

#include "common/ids.h"

namespace cairn {

// Travels in messages and lies on disk: never renumber.
enum class EntryKind : uint8_t {
  kCommand = 0,
  kNoop = 1,        // a new leader's first entry: what came before it commits with it (Raft 5.4.2)
  kMembership = 2,  // the command is an encoded raft::Membership
};

struct LogEntry {
  Term term;
  LogIndex index;  // the first entry ever is 1; 0 is before all
  std::string command;
  EntryKind kind = EntryKind::kCommand;

  friend bool operator==(const LogEntry&, const LogEntry&) = default;
};

}  // namespace cairn
