// The seam between the metaserver and what makes its log agreed on and durable.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/ids.h"
#include "common/status.h"
#include "raft/core/log_entry.h"
#include "raft/core/message.h"
#include "raft/storage/row_source.h"

namespace cairn {

// A state as it is at one point; later changes do not show in it.
struct StateSnapshot {
  raft::SnapshotPoint point;
  std::unique_ptr<RowSource> rows;
};

// What committed entries are applied to. Apply and Install are called by one thread at a time,
// entries in order, each once per life of the state; after a restart the entries above
// Applied().index come again. The other functions are thread-safe.
class StateMachine {
 public:
  virtual ~StateMachine() = default;
  // One outcome per entry, empty for those that are no command. Applied atomically together with
  // the last entry's term and index and the newest membership among them.
  virtual std::vector<std::string> Apply(std::span<const LogEntry> entries) = 0;
  // Where the state stands; index 0 without a membership when it is new.
  virtual raft::SnapshotPoint Applied() = 0;
  // Makes everything applied so far durable; the log may then forget it (rule M2).
  virtual Result<LogIndex> MakeDurable() = 0;
  // The state as it is now, for another member.
  virtual Result<StateSnapshot> TakeSnapshot() = 0;
  // Replaces the state by the rows of a snapshot at `point`; durable on return. A crash on the way
  // leaves a state for which the same snapshot can be installed again.
  virtual Status Install(const raft::SnapshotPoint& point, RowSource& rows) = 0;
};

// Told on the thread that applies.
class LeadershipObserver {
 public:
  virtual ~LeadershipObserver() = default;
  // This member leads and has applied everything that was committed before; ServingTerm() is `term`
  // once this has returned.
  virtual void OnLeading(Term term) = 0;
  // It leads no more. ServingTerm() was 0 before this is called.
  virtual void OnFollowing() = 0;
};

// Thread-safe.
class ReplicatedLog {
 public:
  using Done = std::function<void(Result<std::string> outcome)>;
  virtual ~ReplicatedLog() = default;

  // `done` runs once, after the command is committed (rule M1) and applied, on the thread that
  // applies; or with an error, maybe on this thread before Propose returns. kNotLeader, kBusy,
  // kTooLarge, kNoSpace, kCancelled: certainly not run. kUnavailable: leadership was lost or the
  // member stops, kDiskFailed: its disk cannot be trusted any more; the command may run or have
  // run.
  virtual void Propose(std::string command, Done done) = 0;

  // The term in which this member leads and may serve; 0 when it does not.
  virtual Term ServingTerm() const = 0;
  // Whether what was read from the state before this call may be told: this member leads in `term`
  // and nobody else can have committed anything meanwhile (rule M6).
  virtual bool LeaseHolds(Term term) const = 0;
  // The same, by asking a majority when the lease does not tell. `done` runs once.
  virtual void ConfirmLeadership(Term term, std::function<void(bool leads)> done) = 0;

  // Another member should lead: this one cannot do what a leader has to. Nothing if it does not
  // lead.
  virtual void HandOver() {}

  // Fails proposals under way with kUnavailable, refuses new ones with kCancelled. Nothing is
  // applied afterwards.
  virtual void Stop() = 0;
};

}  // namespace cairn
