// One crash point is one run: a seed's work up to its `change`-th change of a file, then no power;
// what is on disk is opened, proven, worked on, and for half of the points loses power once more.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/crash/crash_bug.h"

namespace cairn::crash {

struct CrashPoint {
  uint64_t seed = 1;
  uint64_t change = 0;  // 0: the power stays until the end
};

struct CrashOutcome {
  uint64_t changes = 0;   // in the whole run
  uint64_t power_cuts = 0;
  uint64_t suspects = 0;  // blocks found suspect
  std::string cut_during;  // at the first cut
  std::optional<std::string> violation;
};

CrashOutcome RunCrashPoint(const CrashPoint& point, CrashBug bug = CrashBug::kNone,
                           bool trace = false);

// `count` points of one seed, spread over its work; fewer if it has fewer changes.
std::vector<CrashPoint> PointsOf(uint64_t seed, uint64_t count);

// "seed 3, point 117 (sync ...): what is wrong", and the command that repeats it.
std::string Describe(const CrashPoint& point, const CrashOutcome& outcome);

struct CrashTotals {
  uint64_t points = 0;
  uint64_t failed = 0;
  uint64_t power_cuts = 0;
  uint64_t suspects = 0;
};
// On `threads` threads; `failed` is called for one point at a time.
CrashTotals RunPoints(const std::vector<CrashPoint>& points, unsigned threads, CrashBug bug,
                      const std::function<void(const CrashPoint&, const CrashOutcome&)>& failed);

}  // namespace cairn::crash
