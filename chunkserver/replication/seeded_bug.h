// Bugs that the simulator of chunk replication must find. They exist only where CAIRN_SEEDED_BUGS
// is defined: in one test binary, which compiles replication for itself. Everywhere else
// ReplicationBugIs() is a constant false.
#pragma once

namespace cairn {

enum class ReplicationBug {
  kNone,
  kLeaseNeverEnds,        // C1: serves although its lease has run out
  kPowerLossForgotten,    // C3: an fsync does not ask whether power was lost since the write
  kPledgeForgotten,       // C4: a member about to become active is not waited for
  kTakeOverWithoutLook,   // C6: a new primary serves before it has compared the copies
  kBarrierIgnored,        // C6: what an older epoch let in is not waited for
  kFailedMemberIgnored,   // C7: a write is answered although a member failed it
  kGapApplied,            // C7: a member applies a write before the one it follows
  kReadBesideWrites,      // C8: blocks are read while a write to them is under way
  kRetryRunAgain,         // C8: a finished write is run again when its retry comes
  kMissingIsHole,         // C10: a chunk that is absent here is a hole
  kDamageKept,            // C12: a bad block counts as mended as it is
};

#ifdef CAIRN_SEEDED_BUGS
// Set by the test before a run.
inline ReplicationBug active_replication_bug = ReplicationBug::kNone;
inline bool ReplicationBugIs(ReplicationBug bug) {
  return active_replication_bug == bug;
}
#else
constexpr bool ReplicationBugIs(ReplicationBug) {
  return false;
}
#endif

}  // namespace cairn
