// Bugs that the simulator must find. They exist only where CAIRN_SEEDED_BUGS is defined: in one
// test binary, which compiles the core for itself. Everywhere else SeededBugIs() is a constant
// false.
#pragma once

namespace cairn {

enum class SeededBug {
  kNone,
  kVoteNotPersisted,       // M4: a vote is told before it is on disk
  kAckBeforePersist,       // M1: entries are acknowledged before they are on disk
  kCommitOldTermByCount,   // Raft 5.4.2: an earlier term's entry is committed by counting
  kVoteIgnoresLog,         // Raft 5.4.1: a vote for a candidate that lacks entries
  kStaleLeaseRead,         // M6: the lease counts from when the reply came
  kLeaseKeptInTransfer,    // M6: leadership is handed over, the lease is not given up
  kNoQuietStart,           // M6: a restarted member votes at once
  kReadBeforeOwnCommit,    // M6: reads before an entry of the leader's own term is committed
  kVoteWhileDamaged,       // M5: votes before lost entries are back
  kOldIncarnationHeard,    // M4: what an earlier life said still counts
  kSingleMajorityInJoint,  // Raft 6: the old voters are not asked during a change
  kConflictKept,           // Raft 5.3: a conflicting suffix is not removed
};

#ifdef CAIRN_SEEDED_BUGS
inline SeededBug active_seeded_bug = SeededBug::kNone;  // set by the test before a run
inline bool SeededBugIs(SeededBug bug) {
  return active_seeded_bug == bug;
}
#else
constexpr bool SeededBugIs(SeededBug) {
  return false;
}
#endif

}  // namespace cairn
