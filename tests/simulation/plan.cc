#include "tests/simulation/plan.h"

#include "tests/simulation/random.h"

namespace cairn::simulation {

namespace {

struct Dose {
  Fault fault;
  int permille;  // of the seeds that have it
  Time often;
  Time seldom;
};
constexpr Dose kDoses[] = {
    {Fault::kPartition, 500, 2s, 15s},
    {Fault::kOneWayCut, 350, 2s, 15s},
    {Fault::kCrash, 500, 1s, 15s},
    {Fault::kPowerLoss, 450, 2s, 15s},
    {Fault::kClusterPowerLoss, 250, 8s, 25s},
    {Fault::kPause, 350, 2s, 20s},
    {Fault::kSlowDisk, 300, 3s, 15s},
    {Fault::kFullDisk, 250, 3s, 20s},
    {Fault::kFailedSync, 200, 5s, 25s},
    {Fault::kBitFlip, 350, 3s, 15s},
    {Fault::kLostDirectory, 200, 8s, 25s},
    {Fault::kClockChange, 400, 2s, 20s},
};
static_assert(std::size(kDoses) == kFaultKinds);

void DrawNetwork(Plan& plan, Random& random) {
  plan.loss = random.Chance(600) ? random.Between(0, 300) : 0;
  plan.duplicates = random.Chance(500) ? random.Between(0, 500) : 0;
  plan.long_delays = random.Chance(400) ? random.Between(1, 40) : 0;
  plan.max_delay = random.Chance(500) ? random.Between(1ms, 50ms) : random.Between(0ms, 3ms);
  plan.in_order = random.Chance(300);
}

void DrawDisk(Plan& plan, Random& random) {
  plan.disk_latency = random.Chance(700) ? random.Between(100us, 3ms) : random.Between(1ms, 40ms);
  plan.torn_writes = random.Between(0, 1000);
  plan.apply_delay = random.Chance(500) ? Time(0) : random.Between(100us, 20ms);
  plan.sync_state_every = static_cast<uint64_t>(random.Between(1, 60));
  // Half of the seeds keep so little that whoever was away needs a snapshot.
  plan.keep_entries =
      static_cast<uint64_t>(random.Chance(500) ? random.Between(0, 20) : random.Between(20, 2000));
  plan.snapshot_piece_bytes = static_cast<size_t>(random.Between(512, 16384));
}

void DrawSegments(Plan& plan, Random& random) {
  if (random.Chance(300)) return;
  plan.segment_bytes = static_cast<size_t>(random.Chance(700) ? random.Between(512, 4096)
                                                              : random.Between(4096, 65536));
}

// Sessions of whoever is seldom heard, while leadership goes to and fro.
void DrawIdleness(Plan& plan, Random& random) {
  if (random.Chance(600)) plan.idle_think_time = random.Between(5s, 14s);
  plan.rocks = plan.transfers != Time(0) && random.Chance(400);
  if (plan.rocks) plan.transfers = random.Between(800ms, 2500ms);
}

void DrawLimits(raft::CoreOptions& core, Random& random) {
  if (random.Chance(500)) core.max_append_bytes = static_cast<size_t>(random.Between(64, 4096));
  core.max_inflight_appends = static_cast<size_t>(random.Between(1, 8));
  if (random.Chance(500)) core.max_cached_bytes = static_cast<size_t>(random.Between(0, 4096));
  if (random.Chance(200)) {
    core.max_unapplied_bytes = static_cast<size_t>(random.Between(512, 8192));
  }
}

}  // namespace

const char* FaultName(Fault fault) {
  switch (fault) {
    case Fault::kPartition:
      return "partition";
    case Fault::kOneWayCut:
      return "one-way cut";
    case Fault::kCrash:
      return "crash";
    case Fault::kPowerLoss:
      return "power loss";
    case Fault::kClusterPowerLoss:
      return "cluster power loss";
    case Fault::kPause:
      return "pause";
    case Fault::kSlowDisk:
      return "slow disk";
    case Fault::kFullDisk:
      return "full disk";
    case Fault::kFailedSync:
      return "failed sync";
    case Fault::kBitFlip:
      return "bit flip";
    case Fault::kLostDirectory:
      return "lost directory";
    case Fault::kClockChange:
      return "clock change";
  }
  return "";
}

Plan DrawPlan(uint64_t seed, Time length) {
  Random random(seed, 0);
  Plan plan;
  plan.seed = seed;
  plan.length = length;
  constexpr int kSizes[] = {3, 3, 3, 3, 3, 5, 5, 5, 4, 1};
  plan.members = kSizes[random.Below(std::size(kSizes))];
  plan.clients = random.Between(1, 4);
  plan.think_time = random.Between(20ms, 400ms);
  DrawNetwork(plan, random);
  DrawDisk(plan, random);
  DrawLimits(plan.core, random);
  plan.drift = random.Chance(800);
  for (const Dose& dose : kDoses) {
    if (!random.Chance(dose.permille)) continue;
    plan.faults[static_cast<size_t>(dose.fault)] = random.Between(dose.often, dose.seldom);
  }
  if (random.Chance(400)) plan.transfers = random.Between(1s, 15s);
  plan.grows = random.Chance(350);
  DrawSegments(plan, random);
  DrawIdleness(plan, random);
  return plan;
}

std::string ToString(const Plan& plan) {
  std::string text = fmt::format(
      "seed {}: {} members, {} clients, loss {} duplicates {} long delays {} of 1000, delay {} ms{}"
      ", disk {} us, segments {}, sync state every {}, keep {}, append {} x {}, cache {}",
      plan.seed, plan.members, plan.clients, plan.loss, plan.duplicates, plan.long_delays,
      plan.max_delay / 1ms, plan.in_order ? " in order" : "", plan.disk_latency / 1us,
      plan.segment_bytes, plan.sync_state_every, plan.keep_entries, plan.core.max_append_bytes,
      plan.core.max_inflight_appends, plan.core.max_cached_bytes);
  for (size_t kind = 0; kind < kFaultKinds; ++kind) {
    if (plan.faults[kind] == Time(0)) continue;
    text += fmt::format(", {} every {} s", FaultName(static_cast<Fault>(kind)),
                        static_cast<double>(plan.faults[kind] / 1ms) / 1000.0);
  }
  if (plan.transfers != Time(0)) text += plan.rocks ? ", leadership rocks" : ", transfers";
  if (plan.idle_think_time != Time(0)) text += ", an idle client";
  if (plan.grows) text += ", members come and go";
  return text;
}

}  // namespace cairn::simulation
