// The log and the facts of one member on its disk, as the driver uses them, and what a simulation
// may do to them. Writing takes no time here: the driver calls Write() when the time has passed.
#pragma once

#include <optional>

#include "raft/core/raft_core.h"
#include "tests/simulation/random.h"

namespace cairn::simulation {

// Thread-compatible. Outlives the processes that use it.
class Disk : public raft::LogReader {
 public:
  // A start: takes the next incarnation, makes durable what is readable, cuts what is damaged and
  // remembers that it was there (rule M5), and begins anew behind a state that is ahead.
  virtual Result<raft::StartState> Open(const raft::SnapshotPoint& applied) = 0;
  virtual Incarnation incarnation() const = 0;

  // All of it is durable on return. kNoSpace: nothing of the entries is there.
  virtual Status Write(const raft::WriteBatch& batch) = 0;
  // The process ended somewhere in the middle of Write(). `torn`: entries got only partly out.
  virtual void WritePartly(const raft::WriteBatch& batch, bool torn, Random& random) = 0;
  virtual Status Compact(LogIndex through) = 0;
  virtual Status Reset(LogIndex first) = 0;
  virtual Status ForgetLost() = 0;

  virtual LogIndex first_index() const = 0;
  virtual LogIndex last_index() const = 0;
  // Entries up to here were once on this disk; 0: none is missing.
  virtual LogIndex lost() const = 0;
  virtual raft::HardState hard_state() const = 0;
  virtual std::optional<Term> TermAt(LogIndex index) const = 0;
  // Nothing takes entries up to here away but a conflict, or damage.
  virtual LogIndex synced() const = 0;

  // What was not synced goes, but for some of it.
  virtual void LosePower(Random& random) = 0;
  // Spoils an entry that is known to be synced. False: there is none.
  virtual bool FlipBit(Random& random) = 0;
  // Spoilt entries lie in the log and have not been found yet.
  virtual bool has_hidden_damage() const = 0;
};

}  // namespace cairn::simulation
