#include "raft/storage/log_recovery.h"

#include <algorithm>

namespace cairn {

namespace {

// Neither votes nor entries may be forgotten: who has lost all of either is a new member (M4).
Status CheckWhole(const LogFindings& found, LogIndex applied) {
  if (found.facts && found.has_segments) return OkStatus();
  if (found.has_segments) {
    return Status::Error(ErrorCode::kCorruption, "the log's facts are gone, its entries are not");
  }
  // A start that was interrupted leaves facts alone, but it has promised nothing yet.
  const bool promised = found.facts && found.facts->hard_state != raft::HardState{};
  if (promised || applied.value > 0) {
    return Status::Error(ErrorCode::kCorruption,
                         "the log is gone, not what it promised nor the state (applied {})",
                         applied);
  }
  return OkStatus();
}

// What a group of one cannot live with.
Status CheckNothingLost(const LogFindings& found, LogIndex applied) {
  RETURN_IF_ERROR(found.damage);
  if (found.first.value <= applied.value + 1) return OkStatus();
  return Status::Error(ErrorCode::kCorruption,
                       "the state ends at entry {}, the log begins at {}: entries are lost",
                       applied, found.first);
}

}  // namespace

Result<RecoveryPlan> PlanRecovery(const LogFindings& found, LogIndex applied,
                                  DamagePolicy policy) {
  RETURN_IF_ERROR(CheckWhole(found, applied));
  if (policy == DamagePolicy::kRefuse) RETURN_IF_ERROR(CheckNothingLost(found, applied));
  RecoveryPlan plan{found.facts.value_or(LogFacts{}), std::nullopt, !found.has_segments};
  const LogIndex wanted(applied.value + 1);
  bool lost = false;
  if (found.first > wanted || found.last < applied) {
    // A state ahead of the log counts as a snapshot at that point (rule M2).
    plan.begin_at = wanted;
    plan.begins_log = true;
    lost = found.highest > applied;
  } else if (found.cut_short || !found.has_segments) {
    plan.begin_at = LogIndex(found.last.value + 1);
    plan.begins_log = found.last < found.first;
    lost = found.cut_short;
  }
  if (lost) plan.facts.lost = std::max(plan.facts.lost, found.highest);
  // What the log on disk has now and will have then: the facts are written before it is changed.
  plan.facts.synced = found.last;
  if (plan.begin_at) plan.facts.synced = std::min(found.last, LogIndex(plan.begin_at->value - 1));
  ++plan.facts.incarnation.value;
  return plan;
}

}  // namespace cairn
