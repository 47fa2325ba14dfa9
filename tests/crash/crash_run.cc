#include "tests/crash/crash_run.h"

#include <atomic>
#include <mutex>
#include <random>
#include <thread>

#include "common/hash.h"
#include "tests/crash/replaced_thread.h"
#include "tests/crash/workload.h"

namespace cairn::crash {
namespace {

constexpr int kLives = 3;  // the last one ends in order

class CrashRun {
 public:
  CrashRun(const CrashPoint& point, CrashBug bug, bool trace)
      : plan_(PlanOf(point, trace)),
        work_(plan_, bug),
        random_(MixBits(point.seed) ^ point.change) {
    BeginThreadTurns(MixBits(point.seed));
    if (point.change > 0) disk().CutAt(point.change);
  }

  CrashOutcome Run() {
    const Status status = Live();
    outcome_.changes = disk().changes();
    outcome_.suspects = work_.suspects_met();
    if (!status.ok()) outcome_.violation = status.message();
    return outcome_;
  }

 private:
  static Plan PlanOf(const CrashPoint& point, bool trace) {
    Plan plan = DrawPlan(point.seed);
    plan.trace = trace;
    return plan;
  }
  CrashDisk& disk() { return work_.machine().disk(); }

  Status Live() {
    RETURN_IF_ERROR(work_.Start());
    RETURN_IF_ERROR(Work(plan_.steps));
    for (int life = 1; work_.was_cut(); ++life) {
      RETURN_IF_ERROR(ComeBack());
      if (life + 1 < kLives && random_() % 2 == 0) disk().CutAt(1 + random_() % 300);
      RETURN_IF_ERROR(work_.SettleSuspects());
      RETURN_IF_ERROR(Work(10 + static_cast<int>(random_() % 30)));
    }
    disk().NeverCut();
    return work_.Finish();
  }

  Status Work(int steps) {
    for (int step = 0; step < steps && !work_.was_cut(); ++step) RETURN_IF_ERROR(work_.Step());
    return OkStatus();
  }

  // The power may go again while the store opens.
  Status ComeBack() {
    LosePower();
    if (random_() % 3 == 0) disk().CutAt(1 + random_() % 25);
    RETURN_IF_ERROR(work_.Start());
    if (work_.was_cut()) {
      LosePower();
      RETURN_IF_ERROR(work_.Start());
    }
    disk().NeverCut();
    return work_.CheckAfterPowerCut();
  }

  void LosePower() {
    if (outcome_.power_cuts++ == 0) outcome_.cut_during = disk().cut_during();
    work_.LosePower(random_);
  }

  const Plan plan_;
  Workload work_;
  std::mt19937_64 random_;  // of what the disk loses, and when
  CrashOutcome outcome_;
};

}  // namespace

CrashOutcome RunCrashPoint(const CrashPoint& point, CrashBug bug, bool trace) {
  return CrashRun(point, bug, trace).Run();
}

std::vector<CrashPoint> PointsOf(uint64_t seed, uint64_t count) {
  const uint64_t changes = RunCrashPoint({.seed = seed, .change = 0}).changes;
  std::vector<CrashPoint> points;
  if (count >= changes) count = changes;
  for (uint64_t i = 0; i < count; ++i) {
    // One of each part, anywhere in it.
    const uint64_t begin = changes * i / count, end = changes * (i + 1) / count;
    points.push_back({seed, 1 + begin + MixBits(seed + (i << 32)) % (end - begin)});
  }
  return points;
}

std::string Describe(const CrashPoint& point, const CrashOutcome& outcome) {
  return fmt::format(
      "seed {}, point {} ({}): {}\n  cairn_crash_points --first {} --point {} --trace",
      point.seed, point.change, outcome.cut_during,
      outcome.violation.value_or(fmt::format("{} changes, {} power cuts, {} suspect blocks",
                                             outcome.changes, outcome.power_cuts,
                                             outcome.suspects)),
      point.seed, point.change);
}

CrashTotals RunPoints(const std::vector<CrashPoint>& points, unsigned threads, CrashBug bug,
                      const std::function<void(const CrashPoint&, const CrashOutcome&)>& failed) {
  CrashTotals totals;
  std::mutex mu;
  std::atomic<size_t> next{0};
  auto run = [&] {
    for (size_t i = next++; i < points.size(); i = next++) {
      const CrashOutcome outcome = RunCrashPoint(points[i], bug);
      const std::lock_guard lock(mu);
      ++totals.points;
      totals.power_cuts += outcome.power_cuts;
      totals.suspects += outcome.suspects;
      if (!outcome.violation) continue;
      ++totals.failed;
      failed(points[i], outcome);
    }
  };
  std::vector<std::thread> runners;
  for (unsigned i = 0; i < threads; ++i) runners.emplace_back(run);
  for (std::thread& runner : runners) runner.join();
  return totals;
}

}  // namespace cairn::crash
