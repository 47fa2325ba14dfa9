// What a disk has promised: what a start must find there, whatever happened before, unless it was
// damaged. It is kept beside the disk and compared with it at each start.
#pragma once

#include <optional>
#include <set>

#include "raft/storage/log_storage.h"
#include "tests/simulation/log_view.h"

namespace cairn::simulation {

// Thread-compatible.
class DiskPromises {
 public:
  // A start found `log`; the state has everything up to `applied`. Not ok: a promise is broken.
  Status Check(const LogStorage& log, LogIndex applied) const;
  // What it found is the promise from now on: a start makes it durable.
  void Adopt(const LogStorage& log);

  // From the beginning of a change until its end neither what it replaces nor what it brings is
  // promised: the process or the power may end between the two.
  void BeginWrite(const raft::WriteBatch& batch);
  void EndWrite(const raft::WriteBatch& batch);
  // The disk was full; what is known of the hard state is in `log`.
  void WithdrawWrite(const LogStorage& log) { hard_state_ = next_hard_state_ = log.hard_state(); }
  void BeginReset(LogIndex first);
  void EndReset();
  void Compacted(LogIndex first);
  void ForgetLost() { lost_ = LogIndex(0); }
  void MarkAll() { marked_ = synced(); }

  // A bit of the entry was spoilt. REQUIRES: index <= marked().
  void Spoil(LogIndex index) { damaged_.insert(index); }
  bool has_damage() const { return !damaged_.empty(); }

  // Entries up to here are durable.
  LogIndex synced() const { return log_.last_index(); }
  // The disk itself can tell that entries up to here were synced. The newest batch has no mark
  // behind it yet: damage there cannot be told from a torn write.
  LogIndex marked() const { return marked_; }
  LogIndex first_index() const { return log_.first_index(); }
  LogIndex lost() const { return lost_; }
  Incarnation incarnation() const { return incarnation_; }
  const raft::HardState& hard_state() const { return hard_state_; }
  std::optional<Term> TermAt(LogIndex index) const { return log_.TermAt(index); }

 private:
  Status CheckFacts(const LogStorage& log, LogIndex applied) const;
  Status CheckDamageWasFound(const LogStorage& log) const;

  LogView log_;
  LogIndex marked_;
  bool resetting_ = false;  // the log may still be the one before
  LogIndex lost_;
  Incarnation incarnation_;
  raft::HardState hard_state_;
  raft::HardState next_hard_state_;  // of a write that was begun; may be there as well
  // Those that a change was to replace are in here until it is done.
  std::set<LogIndex> damaged_;
};

}  // namespace cairn::simulation
