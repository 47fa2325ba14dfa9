// What everything in a run shares.
#pragma once

#include <memory>

#include "tests/simulation/chunks/chunk_plan.h"
#include "tests/simulation/chunks/fibers.h"
#include "tests/simulation/random.h"
#include "tests/simulation/scheduler.h"
#include "tests/simulation/trace.h"
#include "tests/simulation/violations.h"

namespace cairn::simulation::chunks {

struct ChunkWorld {
  ChunkWorld(const ChunkPlan& the_plan, bool printing)
      : plan(the_plan), trace(scheduler, printing), fibers(scheduler, the_plan.seed) {}

  const ChunkPlan plan;
  Scheduler scheduler;
  Trace trace;
  Violations violations;
  Fibers fibers;
  Time now() const { return scheduler.now(); }
};

}  // namespace cairn::simulation::chunks
