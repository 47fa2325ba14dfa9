#include "metaserver/cluster/member_reports.h"

#include <gtest/gtest.h>

namespace cairn {
namespace {

using namespace std::chrono_literals;
using Verdict = MemberReports::Verdict;

// Three processes, the first with two disks.
using Reporter = MemberReports::Reporter;
constexpr Reporter kA{ServerId(1), ServerId(1)};
constexpr Reporter kOtherA{ServerId(4), ServerId(1)};
constexpr Reporter kC{ServerId(3), ServerId(3)};
constexpr ServerId kB{2};

TEST(RuleC7, ALoneReporterOfAServerThatIsUpLeavesAfterAWhile) {
  MemberReports reports;
  BootTime now{100s};
  EXPECT_EQ(reports.Note(kA, kB, now), Verdict::kWait);
  EXPECT_EQ(reports.Note(kA, kB, now + 1s), Verdict::kWait);
  EXPECT_EQ(reports.Note(kA, kB, now + 2s), Verdict::kReporterLeaves);
}

TEST(RuleC7, AServerThatSeveralCannotReachLeaves) {
  MemberReports reports;
  BootTime now{100s};
  EXPECT_EQ(reports.Note(kA, kB, now), Verdict::kWait);
  EXPECT_EQ(reports.Note(kC, kB, now + 900ms), Verdict::kAccusedLeaves);
}

TEST(RuleC7, TwoDisksOfOneProcessAreOneWitness) {
  MemberReports reports;
  BootTime now{100s};
  EXPECT_EQ(reports.Note(kA, kB, now), Verdict::kWait);
  EXPECT_EQ(reports.Note(kOtherA, kB, now + 500ms), Verdict::kWait);
  EXPECT_EQ(reports.Note(kA, kB, now + 2s), Verdict::kReporterLeaves);
  EXPECT_EQ(reports.Note(kOtherA, kB, now + 2500ms), Verdict::kReporterLeaves);
  EXPECT_EQ(reports.Note(kC, kB, now + 2600ms), Verdict::kAccusedLeaves);
}

TEST(MemberReports, ReportsFarApartAreTwoTroubles) {
  MemberReports reports;
  BootTime now{100s};
  EXPECT_EQ(reports.Note(kA, kB, now), Verdict::kWait);
  EXPECT_EQ(reports.Note(kC, kB, now + 1501ms), Verdict::kWait);
  EXPECT_EQ(reports.Note(kA, kB, now + 10s), Verdict::kWait);
  EXPECT_EQ(reports.Note(kA, kB, now + 11s), Verdict::kWait);
}

TEST(MemberReports, WhoLeavesTakesItsReportsAlong) {
  MemberReports reports;
  BootTime now{100s};
  EXPECT_EQ(reports.Note(kA, kB, now), Verdict::kWait);
  reports.Forget(kA.server);
  EXPECT_EQ(reports.Note(kC, kB, now + 500ms), Verdict::kWait);
  EXPECT_EQ(reports.Note(kA, kB, now + 3s), Verdict::kWait);
}

}  // namespace
}  // namespace cairn
