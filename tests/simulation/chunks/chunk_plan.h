// Everything that is drawn once per seed: the shape of the cluster and what it has to bear.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "tests/simulation/scheduler.h"

namespace cairn::simulation::chunks {

enum class ChunkFault {
  kKill,          // a process ends; its page cache stays
  kQuickRestart,  // the same, and it is back before anyone can notice (rule C2)
  kCleanRestart,
  kPowerLoss,     // a machine: what was not synced goes
  kAllPowerLoss,  // all machines at once
  kPause,         // SIGSTOP, now and then longer than a lease
  kCut,           // one machine is cut off from some of the others, one way or both
  kFullDisk,
  kFailedSync,  // the disk is never trusted again, the machine gets a new one
  kBitFlip,     // in a sealed block, while another copy of it is good
  kNewLeader,   // the metaserver forgets what it heard
};
inline constexpr size_t kChunkFaultKinds = 11;
const char* FaultName(ChunkFault fault);

struct ChunkPlan {
  uint64_t seed = 0;
  Time length{};  // of the part with faults; then the cluster has to show that it is whole
  int servers = 3;
  int copies = 3;
  int groups = 1;
  int min_active = 1;
  int clients = 2;
  int files = 2;
  int chunks = 1;  // per file
  Time think_time{};
  int writes = 400;  // of 1000 operations; reads are the rest
  int syncs = 60;
  int truncates = 10;
  int removals = 5;

  Time disk_latency{};
  Time max_delay{};
  int loss = 0;         // frames in 1000, each with what waits for it
  int long_delays = 0;  // in 1000, up to seconds
  bool drift = true;    // clocks run up to 4 % wrong

  Time session_ends{};  // around so much between two sessions that end; 0: none does
  int zombies = 0;      // of 1000 clients whose session ends, so many do not notice

  Time scrub{};       // within so long everything is read once
  int passing = 0;    // of 1000 looks at blocks, so many meet a mismatch that passes
  Time cold_after{};  // nobody writes to every second file any more, so that it is sealed; 0: never

  // Around this much time between two faults of a kind; 0: none.
  std::array<Time, kChunkFaultKinds> faults{};
  Time between(ChunkFault fault) const { return faults[static_cast<size_t>(fault)]; }
};

ChunkPlan DrawPlan(uint64_t seed, Time length);
std::string ToString(const ChunkPlan& plan);

}  // namespace cairn::simulation::chunks
