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

constexpr uint64_t kBudget = 60;  // seeds
constexpr uint64_t kRareBudget =
    2000;  // for bugs that need a rare meeting of faults: one run in 100

// Where to look: a bug that needs a rare meeting of faults gets runs in which such meetings are
// frequent, so that it is found whatever the seeds happen to draw.
enum class Runs {
  kUsual,
  kOneChunk,   // all clients use one chunk, and primaries die
  kSessions,   // sessions end all the time, few notice, and servers are out of reach for a while
  kCutServers  // servers are cut off for longer than their leases, and nothing else happens
};

struct Bug {
  const char* name;
  ReplicationBug inside = ReplicationBug::kNone;
  ChunkBug outside = ChunkBug::kNone;
  uint64_t budget = kBudget;
  Runs runs = Runs::kUsual;
};

ChunkPlan PlanFor(const Bug& bug, uint64_t seed) {
  ChunkPlan plan = DrawPlan(seed, 60s);
  const auto every = [&plan](ChunkFault fault, Time time) {
    plan.faults[static_cast<size_t>(fault)] = time;
  };
  if (bug.runs == Runs::kUsual) return plan;
  plan.clients = 4;
  plan.files = 1;
  plan.chunks = 1;
  plan.groups = 1;
  plan.think_time = 2ms;
  if (bug.runs == Runs::kOneChunk) {
    plan.disk_latency = 3ms;
    plan.max_delay = 10ms;
    every(ChunkFault::kKill, 4s);
    return plan;
  }
  plan.faults = {};
  plan.think_time = 10ms;
  every(ChunkFault::kCut, 5s);
  if (bug.runs == Runs::kSessions) {
    every(ChunkFault::kPause, 8s);
    plan.session_ends = 1s;
    plan.zombies = 900;
  } else {
    plan.session_ends = Time(0);
    // The first write that a member refuses tells a primary that it is none any more.
    plan.writes = 15;
    plan.syncs = 0;
  }
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
    {"C1LeaseNeverEnds", ReplicationBug::kLeaseNeverEnds, ChunkBug::kNone, kBudget,
     Runs::kSessions},
    {"C1RemovedTooEarly", ReplicationBug::kNone, ChunkBug::kRemovedTooEarly, kRareBudget,
     Runs::kCutServers},
    {"C2RestartUnnoticed", ReplicationBug::kNone, ChunkBug::kRestartUnnoticed},
    {"C3PowerLossForgotten", ReplicationBug::kPowerLossForgotten},
    {"C3AnySourceWillDo", ReplicationBug::kNone, ChunkBug::kAnySourceWillDo, kRareBudget},
    {"C4ActiveUnsynced", ReplicationBug::kNone, ChunkBug::kActiveUnsynced, kRareBudget},
    {"C4PledgeForgotten", ReplicationBug::kPledgeForgotten, ChunkBug::kNone, kRareBudget},
    {"C5DataNotSynced", ReplicationBug::kNone, ChunkBug::kDataNotSynced},
    {"C5HoleInIndex", ReplicationBug::kNone, ChunkBug::kHoleInIndex, kRareBudget},
    {"C6TakeOverWithoutLook", ReplicationBug::kTakeOverWithoutLook},
    {"C6BarrierIgnored", ReplicationBug::kBarrierIgnored, ChunkBug::kNone, kRareBudget,
     Runs::kOneChunk},
    {"C7FailedMemberIgnored", ReplicationBug::kFailedMemberIgnored},
    {"C7GapApplied", ReplicationBug::kGapApplied, ChunkBug::kNone, kRareBudget, Runs::kOneChunk},
    {"C8RetryRunAgain", ReplicationBug::kRetryRunAgain, ChunkBug::kNone, kBudget, Runs::kOneChunk},
    {"C8ReadBesideWrites", ReplicationBug::kReadBesideWrites, ChunkBug::kNone, kRareBudget,
     Runs::kOneChunk},
    {"C9CutsForgotten", ReplicationBug::kNone, ChunkBug::kCutsForgotten},
    {"C9RemovalOfAnyAge", ReplicationBug::kNone, ChunkBug::kRemovalOfAnyAge},
    {"C10MissingIsHole", ReplicationBug::kMissingIsHole},
    {"C9RemovalForgotten", ReplicationBug::kNone, ChunkBug::kRemovalForgotten},
    {"C11ReaperWaitsForNobody", ReplicationBug::kNone, ChunkBug::kReaperWaitsForNobody, kRareBudget,
     Runs::kSessions},
    {"C12DamageServed", ReplicationBug::kNone, ChunkBug::kDamageServed},
    {"C12MismatchBelieved", ReplicationBug::kNone, ChunkBug::kMismatchBelieved},
    {"C12DamageOverlooked", ReplicationBug::kNone, ChunkBug::kDamageOverlooked},
    {"C12DamageKept", ReplicationBug::kDamageKept},
    {"L1FenceIgnored", ReplicationBug::kNone, ChunkBug::kFenceIgnored},
    {"L1FenceListLate", ReplicationBug::kNone, ChunkBug::kFenceListLate, kRareBudget},
    {"L1TicketDropped", ReplicationBug::kNone, ChunkBug::kTicketDropped, kBudget, Runs::kSessions},
    {"L1FencePassesEarly", ReplicationBug::kNone, ChunkBug::kFencePassesEarly, kBudget,
     Runs::kSessions},
};
INSTANTIATE_TEST_SUITE_P(All, SeededChunkBugTest, ::testing::ValuesIn(kBugs),
                         [](const auto& bug) { return std::string(bug.param.name); });

TEST(NoSeededChunkBugTest, NothingIsFound) {
  EXPECT_FALSE(IsFound({"no bug"}, kBudget / 2));
}

TEST(NoSeededChunkBugTest, NothingIsFoundWhereAllUseOneChunk) {
  EXPECT_FALSE(IsFound({.name = "no bug", .runs = Runs::kOneChunk}, kBudget / 2));
}

TEST(NoSeededChunkBugTest, NothingIsFoundWhereSessionsEndAllTheTime) {
  EXPECT_FALSE(IsFound({.name = "no bug", .runs = Runs::kSessions}, kBudget));
}

TEST(NoSeededChunkBugTest, NothingIsFoundWhereServersAreCutOff) {
  EXPECT_FALSE(IsFound({.name = "no bug", .runs = Runs::kCutServers}, kBudget));
}

}  // namespace
}  // namespace cairn::simulation::chunks
