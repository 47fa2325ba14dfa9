// What a member begins with: what its disk remembers of its life before.
#pragma once

#include <cstddef>
#include <vector>

#include "common/ids.h"
#include "common/status.h"
#include "raft/core/log_entry.h"
#include "raft/core/message.h"
#include "raft/core/ready.h"

namespace cairn::raft {

// Entries that are on disk but no longer in the core's memory.
class LogReader {
 public:
  virtual ~LogReader() = default;
  // From `from` on, at least one, then as long as they are within `max_bytes` together. Called from
  // inside the core's functions. An error makes the core stop (Core::failure).
  virtual Result<std::vector<LogEntry>> ReadEntries(LogIndex from, size_t max_bytes) = 0;
};

// What a member remembers from its life before, as read from disk.
struct StartState {
  HardState hard_state;
  // What the state machine holds. On a member that was never in a group: index 0, term 0, and the
  // membership the group was born with, or none.
  SnapshotPoint applied;
  // The log on disk. It must reach down to applied.index + 1 unless it is empty.
  LogIndex first_index;
  LogIndex last_index;  // first_index - 1: no entries
  struct TermStart {
    LogIndex index;
    Term term;
  };
  // Where each term begins in it, the first one at first_index.
  std::vector<TermStart> terms;
  // The membership entries in the log above `applied`, oldest first.
  std::vector<LogEntry> memberships;
  // Entries up to here were once on this disk and may have been counted on; those above last_index
  // are lost. Until they are back this member does not vote (rule M5).
  LogIndex may_have_acknowledged;
};

}  // namespace cairn::raft
