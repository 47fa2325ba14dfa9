// Everything that is drawn once per seed: the shape of the group and what it has to bear.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "raft/core/raft_core.h"
#include "tests/simulation/scheduler.h"

namespace cairn::simulation {

enum class Fault {
  kPartition,         // two sides that do not hear each other
  kOneWayCut,         // one direction of one link
  kCrash,             // a process ends; what the kernel had taken stays
  kPowerLoss,         // a machine: what was not synced goes
  kClusterPowerLoss,  // all machines at once
  kPause,             // SIGSTOP
  kSlowDisk,
  kFullDisk,       // writes fail for lack of room, nothing of them stays
  kFailedSync,     // the process stops and says why (rule M4)
  kBitFlip,        // in an entry that is known to be synced (rule M5)
  kLostDirectory,  // the member is gone for ever, its machine joins as a new one
  kClockChange,    // another drift, a step of the wall clock
};
inline constexpr size_t kFaultKinds = 12;
const char* FaultName(Fault fault);

struct Plan {
  uint64_t seed = 0;
  Time length{};  // of the part with faults; then the group has to show that it goes on
  int members = 3;
  int clients = 3;
  Time think_time{};       // of a client, between two requests
  Time idle_think_time{};  // of one more client; 0: there is none

  // How messages fare, in 1/1000 where nothing else is said.
  int loss = 0;
  int duplicates = 0;
  int long_delays = 0;  // of up to seconds
  Time max_delay{};
  bool in_order = false;

  Time disk_latency{};
  int torn_writes = 0;  // of those under way in a crash
  // 0: the disks are models, of entries; else of files, with segments of this size.
  size_t segment_bytes = 0;
  Time apply_delay{};
  bool drift = true;  // clocks run up to 5 % wrong

  // Around this much time between two faults of a kind; 0: none.
  std::array<Time, kFaultKinds> faults{};
  Time faults_between(Fault fault) const { return faults[static_cast<size_t>(fault)]; }
  Time transfers{};    // likewise between two transfers of leadership
  bool rocks = false;  // they go to and fro between two members
  bool grows = false;  // members come and go again, learners first

  uint64_t sync_state_every = 0;  // entries
  uint64_t keep_entries = 0;      // in the log below what is durable in the state
  size_t snapshot_piece_bytes = 0;
  raft::CoreOptions core;  // limits; who and which seed is filled in per start
};

Plan DrawPlan(uint64_t seed, Time length);
std::string ToString(const Plan& plan);

}  // namespace cairn::simulation
