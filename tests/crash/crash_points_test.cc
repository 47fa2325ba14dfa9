// Some crash points, and bugs that they must find.
#include <gtest/gtest.h>

#include "common/logging.h"
#include "tests/crash/crash_run.h"

namespace cairn::crash {
namespace {

constexpr uint64_t kSeeds = 10;
constexpr uint64_t kPointsPerSeed = 10;
constexpr uint64_t kSeedsPerBug = 30;

class CrashPointsTest : public ::testing::Test {
 protected:
  CrashPointsTest() { spdlog::set_level(spdlog::level::off); }
  ~CrashPointsTest() override { spdlog::set_level(spdlog::level::info); }

  static std::vector<CrashPoint> Points(uint64_t first, uint64_t seeds) {
    std::vector<CrashPoint> points;
    for (uint64_t seed = first; seed < first + seeds; ++seed) {
      const std::vector<CrashPoint> of_seed = PointsOf(seed, kPointsPerSeed);
      points.insert(points.end(), of_seed.begin(), of_seed.end());
    }
    return points;
  }
};

TEST_F(CrashPointsTest, EveryPromiseHoldsWhereverThePowerGoes) {
  const CrashTotals totals =
      RunPoints(Points(1, kSeeds), 1, CrashBug::kNone,
                [](const CrashPoint& point, const CrashOutcome& outcome) {
                  ADD_FAILURE() << Describe(point, outcome);
                });
  EXPECT_GE(totals.points, kSeeds * kPointsPerSeed / 2);
  EXPECT_GT(totals.suspects, 0u) << "nothing was lost: the disk forgets too little";
}

TEST_F(CrashPointsTest, ARunIsTheSameEachTime) {
  const std::vector<CrashPoint> points = PointsOf(3, 4);
  for (const CrashPoint& point : points) {
    EXPECT_EQ(Describe(point, RunCrashPoint(point)), Describe(point, RunCrashPoint(point)));
  }
}

struct Bug {
  const char* name;
  CrashBug bug;
};

class SeededCrashBugTest : public CrashPointsTest, public ::testing::WithParamInterface<Bug> {};

TEST_P(SeededCrashBugTest, IsFound) {
  for (uint64_t seed = 1; seed <= kSeedsPerBug; ++seed) {
    for (const CrashPoint& point : PointsOf(seed, kPointsPerSeed)) {
      const CrashOutcome outcome = RunCrashPoint(point, GetParam().bug);
      if (!outcome.violation) continue;
      std::printf("%s: %s\n", GetParam().name, Describe(point, outcome).c_str());
      return;
    }
  }
  FAIL() << "not in " << kSeedsPerBug * kPointsPerSeed << " points";
}

INSTANTIATE_TEST_SUITE_P(
    All, SeededCrashBugTest,
    ::testing::Values(Bug{"EntryNotSynced", CrashBug::kEntryNotSynced},
                      Bug{"DataNotSynced", CrashBug::kDataNotSynced},
                      Bug{"SealedBeforeSync", CrashBug::kSealedBeforeSync},
                      Bug{"UnsealNotDurable", CrashBug::kUnsealNotDurable},
                      Bug{"IndexNotSynced", CrashBug::kIndexNotSynced},
                      Bug{"LogRotatedUnsynced", CrashBug::kLogRotatedUnsynced},
                      Bug{"RowsOutOfOrder", CrashBug::kRowsOutOfOrder}),
    [](const ::testing::TestParamInfo<Bug>& bug) { return std::string(bug.param.name); });

}  // namespace
}  // namespace cairn::crash
