// The seam between the metaserver and whatever makes its log durable and agreed on. Today one
// member fdatasyncs alone (SingleMemberLog); Raft takes the same place.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/ids.h"
#include "common/status.h"
#include "raft/core/log_entry.h"

namespace cairn {

// What committed entries are applied to. Called by one thread at a time, entries in order, each
// once per life of the state; after a restart the entries above AppliedIndex() come again.
class StateMachine {
 public:
  virtual ~StateMachine() = default;
  // One outcome per entry. Applied atomically together with the last entry's term and index.
  virtual std::vector<std::string> Apply(std::span<const LogEntry> entries) = 0;
  virtual LogIndex AppliedIndex() = 0;
  // Makes everything applied so far durable; the log may then forget it (rule M2).
  virtual Result<LogIndex> MakeDurable() = 0;
};

// Thread-safe.
class ReplicatedLog {
 public:
  using Done = std::function<void(Result<std::string> outcome)>;
  virtual ~ReplicatedLog() = default;

  // `done` runs once, after the command is on disk (rule M1) and applied, on the thread that
  // committed it, which may be this one before Propose returns. Proposals made meanwhile share the
  // next fdatasync. kDiskFailed: the log can no longer be trusted; nothing is committed any more.
  virtual void Propose(std::string command, Done done) = 0;

  virtual bool IsLeader() const = 0;
  virtual Term CurrentTerm() const = 0;
  // Waits for proposals under way; refuses new ones with kCancelled.
  virtual void Stop() = 0;
};

}  // namespace cairn
