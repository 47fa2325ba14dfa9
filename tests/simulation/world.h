// What all parts of one run share.
#pragma once

#include "tests/simulation/client_rules.h"
#include "tests/simulation/log_rules.h"
#include "tests/simulation/plan.h"
#include "tests/simulation/random.h"
#include "tests/simulation/scheduler.h"
#include "tests/simulation/trace.h"
#include "tests/simulation/violations.h"

namespace cairn::simulation {

// Streams of chance, one per concern.
enum Stream : uint64_t {
  kPlanStream,
  kNetworkStream,
  kFaultStream,
  kOperatorStream,
  kMachineStream = 100,
  kClientStream = 1000
};

// Thread-compatible.
struct World {
  World(Plan drawn, bool printing) : plan(std::move(drawn)), trace(scheduler, printing) {}

  const Plan plan;
  Scheduler scheduler;
  Trace trace;
  Violations violations;
  LogRules log_rules{violations};
  ClientRules client_rules{violations};
};

}  // namespace cairn::simulation
