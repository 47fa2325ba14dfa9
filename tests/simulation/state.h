// The state of one member: the metaserver's own operations over its ordered map in memory, and
// what a machine without power would still have of it. Batches are applied as the metaserver does:
// in one transaction that carries the applied index.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cairn/v1/command.pb.h"
#include "metaserver/store/kv_store.h"
#include "metaserver/store/transaction.h"
#include "raft/core/message.h"
#include "tests/simulation/random.h"

namespace cairn::simulation {

// What a read finds under a name.
struct Found {
  ErrorCode code = ErrorCode::kOk;
  uint64_t inode = 0;
  uint64_t size = 0;
};

struct AppliedCommand {
  v1::Command command;  // empty for the entries of the group itself
  v1::Outcome outcome;
};

std::string ToString(const AppliedCommand& done);

// Thread-compatible.
class State {
 public:
  explicit State(raft::Membership founders);

  // One per entry. REQUIRES: they follow each other and what is applied.
  std::vector<AppliedCommand> Apply(std::span<const LogEntry> entries, Time clock);
  const raft::SnapshotPoint& applied() const { return applied_; }
  // Of all rows. Equal on all members at equal applied index (rule M7).
  uint64_t hash() const { return hash_; }
  std::unique_ptr<ReadView> View() const { return store_->View(); }
  Found Lookup(uint64_t parent, const std::string& name) const;

  // Everything applied is durable from now on (rule M2: the log may forget it).
  void Sync();
  LogIndex durable() const { return durable_; }
  // Batches since the last Sync() are lost, but for some of the oldest.
  void LosePower(Random& random);

  std::string Encode() const;
  // All rows and the place of a snapshot, durably. False, and nothing happens: not such bytes.
  bool Replace(const raft::SnapshotPoint& point, const std::string& bytes);

 private:
  // A batch that is not durable: what it wrote over, and what it wrote.
  struct Batch {
    raft::SnapshotPoint before;
    RowChanges undo;
    raft::SnapshotPoint after;
    RowChanges redo;
  };
  AppliedCommand ApplyOne(const LogEntry& entry, MetadataTransaction& txn, Time clock);
  RowChanges Write(const RowChanges& changes);
  void Undo(size_t keep);

  std::unique_ptr<KvStore> store_;
  raft::SnapshotPoint applied_;
  uint64_t hash_ = 0;
  LogIndex durable_;
  std::deque<Batch> pending_;
};

}  // namespace cairn::simulation
