// Decides what becomes of a log as it was found (rules M2, M4, M5). Pure; LogStorage does it.
#pragma once

#include <optional>

#include "raft/storage/log_survey.h"

namespace cairn {

// What to do about entries that were on disk and are not any more.
enum class DamagePolicy {
  kRefuse,   // a group of one: nobody else has them
  kRefetch,  // cut the log before them, note what is lost, get it from the others
};

struct RecoveryPlan {
  LogFacts facts;  // to be durable before anything else is changed
  // A new segment that begins here ends the log before it; none: the log goes on where it ends.
  std::optional<LogIndex> begin_at;
  bool begins_log = false;  // and nothing before it belongs to the log any more
};

// `applied`: the state has everything up to here, durably. kCorruption: the log cannot be used.
Result<RecoveryPlan> PlanRecovery(const LogFindings& found, LogIndex applied, DamagePolicy policy);

}  // namespace cairn
