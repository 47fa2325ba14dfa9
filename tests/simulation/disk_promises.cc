#include "tests/simulation/disk_promises.h"

#include <algorithm>

namespace cairn::simulation {

Status DiskPromises::Check(const LogStorage& log, LogIndex applied) const {
  RETURN_IF_ERROR(CheckFacts(log, applied));
  RETURN_IF_ERROR(CheckDamageWasFound(log));
  // What the state has, the log need not have; what the disk says it has lost is found out.
  LogIndex index(std::max({applied, log.lost(), LogIndex(first_index().value - 1)}).value + 1);
  for (; index <= synced(); ++index.value) {
    if (log.TermAt(index) == TermAt(index)) continue;
    return Status::Error(ErrorCode::kCorruption, "entry {} of term {} was synced and is not there",
                         index, TermAt(index)->value);
  }
  return OkStatus();
}

Status DiskPromises::CheckFacts(const LogStorage& log, LogIndex applied) const {
  if (log.incarnation() <= incarnation_) {
    return Status::Error(ErrorCode::kCorruption, "incarnation {} comes again", log.incarnation());
  }
  const raft::HardState found = log.hard_state();
  if (found != hard_state_ && found != next_hard_state_) {
    return Status::Error(ErrorCode::kCorruption, "term {} and the vote for {} were synced, now {}",
                         hard_state_.term, hard_state_.vote, found.term);
  }
  // A torn tail is not damage (rule M5). Of a log that ends before the state nobody can tell.
  const bool meets_state = synced() >= applied && !resetting_;
  if (meets_state && !has_damage() && log.lost() > lost_) {
    return Status::Error(ErrorCode::kCorruption, "entries up to {} count as lost, none was spoilt",
                         log.lost());
  }
  return OkStatus();
}

Status DiskPromises::CheckDamageWasFound(const LogStorage& log) const {
  for (LogIndex index : damaged_) {
    const bool replaced = index > synced();
    if (replaced || index < log.first_index() || index > log.last_index()) continue;
    return Status::Error(ErrorCode::kCorruption, "entry {} is spoilt, nobody noticed", index);
  }
  return OkStatus();
}

void DiskPromises::Adopt(const LogStorage& log) {
  log_ = LogView(log.MakeStartState({}));
  marked_ = log.last_index();
  lost_ = log.lost();
  incarnation_ = log.incarnation();
  hard_state_ = next_hard_state_ = log.hard_state();
  resetting_ = false;
  damaged_.clear();
}

void DiskPromises::BeginWrite(const raft::WriteBatch& batch) {
  if (batch.hard_state) next_hard_state_ = *batch.hard_state;
  if (!batch.entries.empty()) log_.CutFrom(batch.entries.front().index);
  marked_ = std::min(marked_, synced());
}

void DiskPromises::EndWrite(const raft::WriteBatch& batch) {
  hard_state_ = next_hard_state_;
  if (batch.entries.empty()) return;
  marked_ = synced();
  damaged_.erase(damaged_.upper_bound(synced()), damaged_.end());
  for (const LogEntry& entry : batch.entries) CAIRN_CHECK(log_.Put(entry.index, entry.term));
}

void DiskPromises::BeginReset(LogIndex first) {
  marked_ = LogIndex(first.value - 1);
  log_.Reset(marked_, Term(0));
  resetting_ = true;
}

void DiskPromises::EndReset() {
  resetting_ = false;
  damaged_.clear();
}

void DiskPromises::Compacted(LogIndex first) {
  log_.Compact(first);
  damaged_.erase(damaged_.begin(), damaged_.lower_bound(first));
}

}  // namespace cairn::simulation
