// A disk as a model: entries instead of bytes. Quick, and strict about what is durable when.
#pragma once

#include <deque>
#include <set>
#include <vector>

#include "tests/simulation/disk.h"

namespace cairn::simulation {

// Thread-compatible.
class ModelDisk final : public Disk {
 public:
  Result<raft::StartState> Open(const raft::SnapshotPoint& applied) override;
  Incarnation incarnation() const override { return facts_.incarnation; }

  Status Write(const raft::WriteBatch& batch) override;
  void WritePartly(const raft::WriteBatch& batch, bool torn, Random& random) override;
  Status Compact(LogIndex through) override;
  Status Reset(LogIndex first) override;
  Status ForgetLost() override;
  Status Close() override;

  LogIndex first_index() const override { return LogIndex(first_); }
  LogIndex last_index() const override { return LogIndex(first_ + entries_.size() - 1); }
  LogIndex lost() const override { return facts_.lost; }
  raft::HardState hard_state() const override { return facts_.hard_state; }
  std::optional<Term> TermAt(LogIndex index) const override;
  LogIndex synced() const override { return LogIndex(synced_); }

  Result<std::vector<LogEntry>> ReadEntries(LogIndex from, size_t max_bytes) override;

  void LosePower(Random& random) override;
  bool LosePowerAfter(uint64_t, Random&) override { return false; }
  void SetFull(bool full) override { full_ = full; }
  void Heal() override { full_ = false; }
  bool FlipBit(Random& random) override;
  bool has_hidden_damage() const override { return !damaged_.empty(); }
  // REQUIRES: the disk can tell that the entry was synced.
  void Damage(LogIndex index);

 private:
  struct Facts {
    Incarnation incarnation;
    raft::HardState hard_state;
    LogIndex lost;
  };
  bool Has(LogIndex index) const { return index >= first_index() && index <= last_index(); }
  void CutFrom(uint64_t index);
  void Append(const LogEntry& entry);
  void CutDamage();
  raft::StartState MakeStartState(const raft::SnapshotPoint& applied) const;

  Facts facts_;
  std::vector<Facts> earlier_facts_;  // since the start; kept for a seeded bug only
  uint64_t first_ = 1;
  std::deque<LogEntry> entries_;
  uint64_t synced_ = 0;  // nothing up to here goes with the power
  // The disk itself can tell that entries up to here were synced. The newest batch has no mark
  // behind it yet: damage there cannot be told from a torn write.
  uint64_t marked_ = 0;
  std::set<uint64_t> damaged_;
  bool full_ = false;
};

}  // namespace cairn::simulation
