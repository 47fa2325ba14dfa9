// The log and the facts of one member on its disk, as the driver uses them, and what a simulation
// may do to them. Writing takes no time here: the driver calls Write() when the time has passed.
#pragma once

#include <cstdint>
#include <optional>

#include "raft/core/raft_core.h"
#include "tests/simulation/random.h"

namespace cairn::simulation {

// What became of segment files.
struct SegmentCounts {
  uint64_t made = 0;
  uint64_t recycled = 0;  // kept to be made into another one
  uint64_t removed = 0;
};

// Thread-compatible. Outlives the processes that use it. Whatever writes may answer kUnavailable:
// the power went in the middle of it.
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
  // Up to `through` or less.
  virtual Status Compact(LogIndex through) = 0;
  virtual Status Reset(LogIndex first) = 0;
  virtual Status ForgetLost() = 0;
  // The process ends in order.
  virtual Status Close() = 0;

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
  // The power is to go in the middle of something, after so many changes of files. False: this disk
  // cannot do that.
  virtual bool LosePowerAfter(uint64_t changes, Random& random) = 0;
  // While it is full Write() may answer kNoSpace.
  virtual void SetFull(bool full) = 0;
  // It has room, and the power stays.
  virtual void Heal() = 0;
  // Spoils an entry that is known to be synced. False: there is none.
  virtual bool FlipBit(Random& random) = 0;
  // Spoilt entries lie in the log and have not been found yet.
  virtual bool has_hidden_damage() const = 0;

  virtual SegmentCounts segments() const { return {}; }
};

}  // namespace cairn::simulation
