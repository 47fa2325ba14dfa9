#include "tests/simulation/chunks/chunk_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/simulation/random.h"

namespace cairn::simulation::chunks {
namespace {

constexpr uint64_t kPlanStream = 0xc41;
constexpr uint64_t kSessionStream = 0xc42;
constexpr uint64_t kDamageStream = 0xc43;

void DrawFaults(ChunkPlan& plan, Random& random) {
  const std::array<Time, kChunkFaultKinds> usual = {12s, 15s, 25s, 20s, 40s, 15s,
                                                    12s, 25s, 40s, 20s, 30s};
  // One seed in eight has no faults at all, most have some kinds of them.
  const bool quiet = random.Chance(125);
  const int share = random.Between(200, 700);
  for (size_t kind = 0; kind < kChunkFaultKinds; ++kind) {
    const bool chosen = random.Chance(share);
    const Time mean = usual[kind] * random.Between(3, 20) / 10;
    if (chosen && !quiet) plan.faults[kind] = mean;
  }
}

void DrawLoad(ChunkPlan& plan, Random& random) {
  plan.clients = random.Between(1, 4);
  plan.files = random.Between(1, 4);
  plan.chunks = random.Between(1, 3);
  plan.think_time = random.Between(2ms, 120ms);
  plan.writes = random.Between(200, 700);
  plan.syncs = random.Between(0, 120);
  plan.truncates = random.Chance(500) ? random.Between(5, 60) : 0;
  plan.removals = random.Chance(500) ? random.Between(3, 30) : 0;
}

void DrawSessions(ChunkPlan& plan, Random random) {
  if (random.Chance(350)) return;
  plan.session_ends = random.Between(Time(1s), Time(9s));
  plan.zombies = random.Between(200, 900);
}

// In one seed of three bits flip for half of the time, in files that were sealed by then.
void DrawDamage(ChunkPlan& plan, Random random) {
  plan.scrub = random.Between(4, 40) * Time(1s);
  plan.passing = random.Chance(300) ? random.Between(5, 100) : 0;
  if (random.Chance(650)) return;
  plan.files = std::max(plan.files, 2);
  plan.cold_after = random.Between(Time(2s), Time(8s));
  plan.faults[static_cast<size_t>(ChunkFault::kBitFlip)] = random.Between(Time(100ms), Time(2s));
}

}  // namespace

const char* FaultName(ChunkFault fault) {
  constexpr std::array<const char*, kChunkFaultKinds> kNames = {
      "kill",      "quick restart", "clean restart", "power loss",  "power loss everywhere",
      "pause",     "cut",           "full disk",     "failed sync", "bit flip",
      "new leader"};
  return kNames[static_cast<size_t>(fault)];
}

ChunkPlan DrawPlan(uint64_t seed, Time length) {
  Random random(seed, kPlanStream);
  ChunkPlan plan;
  plan.seed = seed;
  plan.length = length;
  plan.servers = random.Between(3, 5);
  plan.copies = random.Chance(800) ? 3 : 2;
  plan.groups = random.Between(1, 4);
  plan.min_active = random.Chance(500) ? 1 : 2;
  DrawLoad(plan, random);
  plan.disk_latency = random.Between(20us, 3ms);
  plan.max_delay = random.Between(50us, 10ms);
  plan.loss = random.Chance(400) ? random.Between(1, 20) : 0;
  plan.long_delays = random.Chance(400) ? random.Between(1, 10) : 0;
  plan.drift = random.Chance(700);
  DrawFaults(plan, random);
  DrawSessions(plan, Random(seed, kSessionStream));
  DrawDamage(plan, Random(seed, kDamageStream));
  return plan;
}

std::string ToString(const ChunkPlan& plan) {
  std::string text = fmt::format(
      "{} servers, {} groups of {}, at least {} active, {} clients, {} files of {} chunks, disk "
      "{} us, delay {} us, loss {}/1000, long {}/1000",
      plan.servers, plan.groups, plan.copies, plan.min_active, plan.clients, plan.files,
      plan.chunks, plan.disk_latency / 1us, plan.max_delay / 1us, plan.loss, plan.long_delays);
  if (plan.session_ends != Time(0)) {
    text +=
        fmt::format(", session ends / {} s, zombies {}/1000", plan.session_ends / 1s, plan.zombies);
  }
  text += fmt::format(", scrub in {} s, mismatches pass {}/1000", plan.scrub / 1s, plan.passing);
  for (size_t kind = 0; kind < kChunkFaultKinds; ++kind) {
    if (plan.faults[kind] == Time(0)) continue;
    text += fmt::format(", {} / {} s", FaultName(static_cast<ChunkFault>(kind)),
                        plan.faults[kind] / 1s);
  }
  return text;
}

}  // namespace cairn::simulation::chunks
