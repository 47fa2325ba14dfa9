// The harness tested: with each of these bugs switched on it must find that something is wrong, and
// with none it must not. This binary alone is compiled with CAIRN_SEEDED_BUGS.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "chunkserver/replication/seeded_bug.h"
#include "tests/simulation/chunks/chunk_bug.h"
#include "tests/simulation/chunks/chunk_seeds.h"

namespace cairn::simulation::chunks {
namespace {

constexpr uint64_t kBudget = 60;       // seeds
constexpr uint64_t kRareBudget = 400;  // for bugs that need a rare meeting of faults

struct Bug {
  const char* name;
  ReplicationBug inside = ReplicationBug::kNone;
  ChunkBug outside = ChunkBug::kNone;
  uint64_t budget = kBudget;
  bool hot = false;  // to be looked for where all clients use one chunk and primaries die
};

ChunkPlan PlanFor(const Bug& bug, uint64_t seed) {
  ChunkPlan plan = DrawPlan(seed, 60s);
  if (!bug.hot) return plan;
  plan.clients = 4;
  plan.files = 1;
  plan.chunks = 1;
  plan.groups = 1;
  plan.think_time = 2ms;
  plan.disk_latency = 3ms;
  plan.max_delay = 10ms;
  plan.faults[static_cast<size_t>(ChunkFault::kKill)] = 4s;
  return plan;
}

// Runs seeds until one fails. A bug may also break a promise that replication checks by itself, and
// then ends the process: that counts, and must not end this one.
bool IsFound(const Bug& bug, uint64_t seeds) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    HushProduction();
    active_replication_bug = bug.inside;
    active_chunk_bug = bug.outside;
    bool found = false;
    for (uint64_t seed = 1; seed <= seeds && !found; ++seed) {
      const ChunkRunResult result = ChunkSimulation(PlanFor(bug, seed)).Run();
      found = result.violation.has_value();
      if (found) std::printf("%s: %.400s\n", bug.name, Describe(seed, result).c_str());
    }
    std::fflush(stdout);
    _exit(found ? 1 : 0);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  if (WIFSIGNALED(status)) std::printf("%s: a check failed\n", bug.name);
  return WIFSIGNALED(status) || WEXITSTATUS(status) != 0;
}

class SeededChunkBugTest : public ::testing::TestWithParam<Bug> {};

TEST_P(SeededChunkBugTest, IsFound) {
  EXPECT_TRUE(IsFound(GetParam(), GetParam().budget)) << "not in " << GetParam().budget << " seeds";
}

// Named after the rule they break.
const Bug kBugs[] = {
    {"C1LeaseNeverEnds", ReplicationBug::kLeaseNeverEnds, ChunkBug::kNone, kRareBudget},
    {"C1RemovedTooEarly", ReplicationBug::kNone, ChunkBug::kRemovedTooEarly, kRareBudget},
    {"C2RestartUnnoticed", ReplicationBug::kNone, ChunkBug::kRestartUnnoticed},
    {"C3PowerLossForgotten", ReplicationBug::kPowerLossForgotten},
    {"C3AnySourceWillDo", ReplicationBug::kNone, ChunkBug::kAnySourceWillDo, kRareBudget},
    {"C4ActiveUnsynced", ReplicationBug::kNone, ChunkBug::kActiveUnsynced, kRareBudget},
    {"C4PledgeForgotten", ReplicationBug::kPledgeForgotten, ChunkBug::kNone, kRareBudget},
    {"C5DataNotSynced", ReplicationBug::kNone, ChunkBug::kDataNotSynced},
    {"C5HoleInIndex", ReplicationBug::kNone, ChunkBug::kHoleInIndex, kRareBudget},
    {"C6TakeOverWithoutLook", ReplicationBug::kTakeOverWithoutLook},
    {"C6BarrierIgnored", ReplicationBug::kBarrierIgnored, ChunkBug::kNone, kRareBudget, true},
    {"C7FailedMemberIgnored", ReplicationBug::kFailedMemberIgnored},
    {"C7GapApplied", ReplicationBug::kGapApplied, ChunkBug::kNone, kRareBudget, true},
    {"C8RetryRunAgain", ReplicationBug::kRetryRunAgain, ChunkBug::kNone, kBudget, true},
    {"C8ReadBesideWrites", ReplicationBug::kReadBesideWrites, ChunkBug::kNone, kRareBudget, true},
    {"C9CutsForgotten", ReplicationBug::kNone, ChunkBug::kCutsForgotten},
    {"C9RemovalOfAnyAge", ReplicationBug::kNone, ChunkBug::kRemovalOfAnyAge},
    {"C10MissingIsHole", ReplicationBug::kMissingIsHole},
    {"C9RemovalForgotten", ReplicationBug::kNone, ChunkBug::kRemovalForgotten},
    {"C11ReaperWaitsForNobody", ReplicationBug::kNone, ChunkBug::kReaperWaitsForNobody,
     kRareBudget},
    {"C12DamageServed", ReplicationBug::kNone, ChunkBug::kDamageServed},
    {"C12MismatchBelieved", ReplicationBug::kNone, ChunkBug::kMismatchBelieved},
    {"C12DamageOverlooked", ReplicationBug::kNone, ChunkBug::kDamageOverlooked},
    {"C12DamageKept", ReplicationBug::kDamageKept},
    {"L1FenceIgnored", ReplicationBug::kNone, ChunkBug::kFenceIgnored},
    {"L1FenceListLate", ReplicationBug::kNone, ChunkBug::kFenceListLate, kRareBudget},
    {"L1TicketDropped", ReplicationBug::kNone, ChunkBug::kTicketDropped, kRareBudget},
    {"L1FencePassesEarly", ReplicationBug::kNone, ChunkBug::kFencePassesEarly, kRareBudget},
};
INSTANTIATE_TEST_SUITE_P(All, SeededChunkBugTest, ::testing::ValuesIn(kBugs),
                         [](const auto& bug) { return std::string(bug.param.name); });

TEST(NoSeededChunkBugTest, NothingIsFound) {
  EXPECT_FALSE(IsFound({"no bug"}, kBudget / 2));
}

TEST(NoSeededChunkBugTest, NothingIsFoundWhereAllUseOneChunk) {
  EXPECT_FALSE(IsFound({.name = "no bug", .hot = true}, kBudget / 2));
}

}  // namespace
}  // namespace cairn::simulation::chunks
