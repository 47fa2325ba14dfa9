// The harness tested: with each of these bugs switched on it must find that something is wrong, and
// with none it must not. This binary alone is compiled with CAIRN_SEEDED_BUGS.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <string>

#include "raft/core/seeded_bug.h"
#include "tests/simulation/harness_bug.h"
#include "tests/simulation/seeds.h"

namespace cairn::simulation {
namespace {

constexpr uint64_t kBudget = 150;     // seeds
constexpr uint64_t kPatience = 2000;  // for bugs that need a rare meeting of faults

struct Bug {
  const char* name;
  SeededBug in_core = SeededBug::kNone;
  HarnessBug outside = HarnessBug::kNone;
  uint64_t budget = kBudget;
};

// Runs seeds until one fails. A bug may also break a promise that the core checks by itself, and
// then ends the process: that counts, and must not end this one.
bool IsFound(const Bug& bug, uint64_t seeds) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    HushProduction();
    active_seeded_bug = bug.in_core;
    active_harness_bug = bug.outside;
    bool found = false;
    for (uint64_t seed = 1; seed <= seeds && !found; ++seed) {
      const RunResult result = Simulation(DrawPlan(seed, 60s)).Run();
      found = result.violation.has_value();
      if (found) std::printf("%s: %s\n", bug.name, Describe(seed, result).c_str());
    }
    std::fflush(stdout);
    _exit(found ? 1 : 0);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  if (WIFSIGNALED(status)) std::printf("%s: a check of the core failed\n", bug.name);
  return WIFSIGNALED(status) || WEXITSTATUS(status) != 0;
}

class SeededBugTest : public ::testing::TestWithParam<Bug> {};

TEST_P(SeededBugTest, IsFound) {
  EXPECT_TRUE(IsFound(GetParam(), GetParam().budget)) << "not in " << GetParam().budget << " seeds";
}

const Bug kBugs[] = {
    {"VoteNotPersisted", SeededBug::kVoteNotPersisted},
    {"AckBeforePersist", SeededBug::kAckBeforePersist},
    {"CommitOldTermByCount", SeededBug::kCommitOldTermByCount, HarnessBug::kNone, kPatience},
    {"VoteIgnoresLog", SeededBug::kVoteIgnoresLog},
    {"StaleLeaseRead", SeededBug::kStaleLeaseRead},
    {"LeaseKeptInTransfer", SeededBug::kLeaseKeptInTransfer, HarnessBug::kNone, kPatience},
    {"NoQuietStart", SeededBug::kNoQuietStart},
    {"ReadBeforeOwnCommit", SeededBug::kReadBeforeOwnCommit},
    {"VoteWhileDamaged", SeededBug::kVoteWhileDamaged},
    {"OldIncarnationHeard", SeededBug::kOldIncarnationHeard},
    {"SingleMajorityInJoint", SeededBug::kSingleMajorityInJoint, HarnessBug::kNone, kPatience},
    {"ConflictKept", SeededBug::kConflictKept},
    {"RetryAppliedTwice", SeededBug::kNone, HarnessBug::kRetryAppliedTwice},
    {"LogCompactedTooEarly", SeededBug::kNone, HarnessBug::kLogCompactedTooEarly},
    {"HoleInStateWal", SeededBug::kNone, HarnessBug::kHoleInStateWal},
    {"AmnesiacVoter", SeededBug::kNone, HarnessBug::kAmnesiacVoter},
    {"LostDirectorySync", SeededBug::kNone, HarnessBug::kLostDirectorySync},
    {"SegmentNotSynced", SeededBug::kNone, HarnessBug::kSegmentNotSynced},
    {"UnsyncedTailCounted", SeededBug::kNone, HarnessBug::kUnsyncedTailCounted},
    {"AppliedBeforeCommitted", SeededBug::kNone, HarnessBug::kAppliedBeforeCommitted},
    {"LeaseCheckedBeforeRead", SeededBug::kNone, HarnessBug::kLeaseCheckedBeforeRead},
    {"LeaseCheckRemembered", SeededBug::kNone, HarnessBug::kLeaseCheckRemembered, kPatience},
    {"OldSessionTable", SeededBug::kNone, HarnessBug::kOldSessionTable},
    {"ClockInApply", SeededBug::kNone, HarnessBug::kClockInApply},
};
INSTANTIATE_TEST_SUITE_P(All, SeededBugTest, ::testing::ValuesIn(kBugs),
                         [](const auto& bug) { return std::string(bug.param.name); });

TEST(NoSeededBugTest, NothingIsFound) {
  EXPECT_FALSE(IsFound({"no bug"}, kBudget / 6));
}

}  // namespace
}  // namespace cairn::simulation
