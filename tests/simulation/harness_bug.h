// Bugs outside the core that the simulator must find: in what a driver, a disk or a state machine
// can do wrong. They exist only where CAIRN_SEEDED_BUGS is defined, as those of the core do
// (raft/core/seeded_bug.h).
#pragma once

namespace cairn::simulation {

enum class HarnessBug {
  kNone,
  kRetryAppliedTwice,       // M3: the reply rows are skipped
  kLogCompactedTooEarly,    // M2: entries go before the state that has them is durable
  kHoleInStateWal,          // M2: the state loses a batch out of the middle at a power loss
  kAmnesiacVoter,           // M4: a lost directory comes back under its old id
  kLostDirectorySync,       // M4: facts written, their directory not synced
  kSegmentNotSynced,        // M1: records written, their file not synced (disks of files)
  kUnsyncedTailCounted,     // M1: what a start finds behind the synced mark is not synced
  kAppliedBeforeCommitted,  // M1: entries are applied as soon as they are on this disk
  kLeaseCheckedBeforeRead,  // M6: the state is read after the lease was checked
  kLeaseCheckRemembered,    // M6: one look at the lease serves the reads of the next second
  kOldSessionTable,         // M8: a new leader goes by what it heard in an earlier office
  kClockInApply,            // M7: a member's own clock gets into the state
};

#ifdef CAIRN_SEEDED_BUGS
inline HarnessBug active_harness_bug = HarnessBug::kNone;  // set by the test before a run
inline bool HarnessBugIs(HarnessBug bug) {
  return active_harness_bug == bug;
}
#else
constexpr bool HarnessBugIs(HarnessBug) {
  return false;
}
#endif

}  // namespace cairn::simulation
