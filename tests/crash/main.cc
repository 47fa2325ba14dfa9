// Runs crash points and says what it found; exit code 1: a promise was broken.
#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>

#include "common/logging.h"
#include "tests/crash/crash_run.h"

namespace cairn::crash {
namespace {

struct Range {
  uint64_t first = 1;
  uint64_t seeds = 1;
  uint64_t points = 50;
  uint64_t point = 0;
  unsigned threads = 1;
  bool trace = false;
};

int RunOne(const Range& range) {
  const CrashPoint point{range.first, range.point};
  const CrashOutcome outcome = RunCrashPoint(point, CrashBug::kNone, range.trace);
  std::printf("%s\n", Describe(point, outcome).c_str());
  return outcome.violation ? 1 : 0;
}

int RunMany(const Range& range) {
  const auto begin = std::chrono::steady_clock::now();
  std::vector<CrashPoint> points;
  for (uint64_t seed = range.first; seed < range.first + range.seeds; ++seed) {
    const std::vector<CrashPoint> of_seed = PointsOf(seed, range.points);
    points.insert(points.end(), of_seed.begin(), of_seed.end());
  }
  const CrashTotals totals =
      RunPoints(points, range.threads, CrashBug::kNone,
                [](const CrashPoint& point, const CrashOutcome& outcome) {
                  std::printf("%s\n", Describe(point, outcome).c_str());
                  std::fflush(stdout);
                });
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
  const std::string line = fmt::format(
      "{} crash points, seeds {} to {}: {} failed, {} power cuts, {} suspect blocks, {:.1f} s",
      totals.points, range.first, range.first + range.seeds - 1, totals.failed, totals.power_cuts,
      totals.suspects, passed.count());
  std::printf("%s\n", line.c_str());
  return totals.failed == 0 ? 0 : 1;
}

int Main(int count, char** words) {
  Range range;
  CLI::App app("The power goes at many points of a chunk store's work.");
  app.add_option("--first", range.first, "the first seed");
  app.add_option("--seeds", range.seeds, "how many seeds")->check(CLI::PositiveNumber);
  app.add_option("--points", range.points, "points of each seed")->check(CLI::PositiveNumber);
  app.add_option("--point", range.point, "this point of the first seed alone; 0: no power cut");
  app.add_option("--threads", range.threads, "points at a time")->check(CLI::Range(1, 64));
  app.add_flag("--trace", range.trace, "with --point: print the work, and what the store logs");
  CLI11_PARSE(app, count, words);
  if (!range.trace) spdlog::set_level(spdlog::level::off);
  return app.count("--point") > 0 ? RunOne(range) : RunMany(range);
}

}  // namespace
}  // namespace cairn::crash

int main(int count, char** words) {
  return cairn::crash::Main(count, words);
}
