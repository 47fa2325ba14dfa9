// Bugs in the world around replication that the simulator must find: what a disk, a metaserver or a
// client can do wrong. They exist only where CAIRN_SEEDED_BUGS is defined, as those of replication
// do (chunkserver/replication/seeded_bug.h).
#pragma once

namespace cairn::simulation::chunks {

enum class ChunkBug {
  kNone,
  kRemovedTooEarly,       // C1: a member is taken out while a lease of it may still run
  kRestartUnnoticed,      // C2: a restarted server comes back as if it had not been away
  kAnySourceWillDo,       // C3: whoever is back first becomes the source
  kActiveUnsynced,        // C4: what was copied to a member is not on its disk
  kDataNotSynced,         // C5: a chunk's data is not on disk when it is sealed or fsync answers
  kHoleInIndex,           // C5, M2: a batch is missing in the middle of the index after a power cut
  kCutsForgotten,         // C9: frames do not say which cuts a chunk may have missed
  kRemovalOfAnyAge,       // C9: a trim takes what was written after the cut, too
  kRemovalForgotten,      // C9: the removal of a trimmed file's chunks is not sent to one member
  kMismatchBelieved,      // C12: what does not match beside a write is damage
  kDamageServed,          // C12: a store hands out a bad block as it is
  kDamageOverlooked,      // C6: the scrub does not see that a block is bad
  kFenceIgnored,          // L1: the gate lets in whoever is shut out
  kFenceListLate,         // L1: after a start a server serves before it has heard who is shut out
  kTicketDropped,         // L1, C11: a fence is acknowledged while a write is still under way
  kReaperWaitsForNobody,  // C11: chunks go before a fence has passed
  kFencePassesEarly,      // L1, C11: a silent server is not waited for until its lease has run out
};

#ifdef CAIRN_SEEDED_BUGS
inline ChunkBug active_chunk_bug = ChunkBug::kNone;  // set by the test before a run
inline bool ChunkBugIs(ChunkBug bug) {
  return active_chunk_bug == bug;
}
#else
constexpr bool ChunkBugIs(ChunkBug) {
  return false;
}
#endif

}  // namespace cairn::simulation::chunks
