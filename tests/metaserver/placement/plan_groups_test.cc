#include "metaserver/placement/plan_groups.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/common/status_matchers.h"

namespace cairn {
namespace {

std::vector<PlacementServer> Servers(uint32_t count, uint32_t per_host) {
  std::vector<PlacementServer> servers;
  for (uint32_t i = 0; i < count; ++i) {
    servers.push_back(
        {ServerId(i + 1), "host" + std::to_string(i / per_host), "", Incarnation(i + 10), "boot"});
  }
  return servers;
}

struct Spread {
  std::map<uint32_t, int> members;
  std::map<uint32_t, int> primaries;
};

Spread SpreadOf(const std::vector<v1::PlacementGroup>& groups) {
  Spread spread;
  for (const v1::PlacementGroup& group : groups) {
    spread.primaries[group.members(0).server()]++;
    for (const v1::Member& member : group.members()) spread.members[member.server()]++;
  }
  return spread;
}

int Unevenness(const std::map<uint32_t, int>& counts, size_t servers) {
  int least = counts.size() == servers ? INT32_MAX : 0;
  int most = 0;
  for (const auto& [server, count] : counts) {
    least = std::min(least, count);
    most = std::max(most, count);
  }
  return most - least;
}

TEST(PlanGroups, SpreadsMembersAndPrimariesEvenly) {
  for (uint32_t servers = 1; servers <= 12; ++servers) {
    for (uint32_t copies = 1; copies <= std::min(servers, 5u); ++copies) {
      const auto groups = PlanGroups(PoolId(1), copies, Servers(servers, 1));
      ASSERT_THAT(groups, IsOk());
      const Spread spread = SpreadOf(*groups);
      EXPECT_LE(Unevenness(spread.members, servers), 1) << servers << " x " << copies;
      EXPECT_LE(Unevenness(spread.primaries, servers), 4) << servers << " x " << copies;
      EXPECT_GE(spread.members.begin()->second, static_cast<int>(kGroupsPerTarget));
    }
  }
}

TEST(PlanGroups, PutsTheCopiesOfAGroupOnDistinctServersAndHosts) {
  const auto groups = PlanGroups(PoolId(1), 3, Servers(8, 2));
  ASSERT_THAT(groups, IsOk());
  for (const v1::PlacementGroup& group : *groups) {
    std::set<uint32_t> hosts;
    for (const v1::Member& member : group.members()) hosts.insert((member.server() - 1) / 2);
    EXPECT_EQ(hosts.size(), 3u);
  }
}

// `disks[i]` disks in process i + 1; `per_host` processes on each host.
std::vector<PlacementServer> Disks(const std::vector<uint32_t>& disks, uint32_t per_host) {
  std::vector<PlacementServer> servers;
  for (uint32_t process = 0; process < disks.size(); ++process) {
    const ServerId first(static_cast<uint32_t>(servers.size()) + 1);
    for (uint32_t disk = 0; disk < disks[process]; ++disk) {
      servers.push_back({ServerId(first.value + disk), "host" + std::to_string(process / per_host),
                         "", Incarnation(1), "boot", 0, first});
    }
  }
  return servers;
}

// How many processes and hosts the copies of the worst placed group lie on.
std::pair<size_t, size_t> LeastSpread(uint32_t copies,
                                      const std::vector<PlacementServer>& servers) {
  const auto groups = PlanGroups(PoolId(1), copies, servers);
  EXPECT_THAT(groups, IsOk());
  std::pair<size_t, size_t> least{copies, copies};
  for (const v1::PlacementGroup& group : *groups) {
    std::set<uint32_t> disks;
    std::set<ServerId> processes;
    std::set<std::string> hosts;
    for (const v1::Member& member : group.members()) {
      disks.insert(member.server());
      processes.insert(servers[member.server() - 1].chunkserver);
      hosts.insert(servers[member.server() - 1].host);
    }
    EXPECT_EQ(disks.size(), copies);
    least.first = std::min(least.first, processes.size());
    least.second = std::min(least.second, hosts.size());
  }
  return least;
}

TEST(PlanGroups, CopiesShareNoProcessWhileAnotherHasRoom) {
  using Apart = std::pair<size_t, size_t>;  // processes, hosts
  EXPECT_EQ(LeastSpread(3, Disks({2, 2, 1}, 9)), Apart(3, 1));  // one host, as a dev cluster
  EXPECT_EQ(LeastSpread(3, Disks({8, 1, 1}, 9)), Apart(3, 1));
  EXPECT_EQ(LeastSpread(3, Disks({2, 2}, 9)), Apart(2, 1));
  EXPECT_EQ(LeastSpread(3, Disks({3}, 9)), Apart(1, 1));  // three disks of the only one
  EXPECT_EQ(LeastSpread(3, Disks({2, 2, 2, 2, 2, 2}, 2)), Apart(3, 3));
  EXPECT_EQ(LeastSpread(3, Disks({4, 4, 4, 4}, 2)), Apart(3, 2));
}

TEST(PlanGroups, UsesOneHostTwiceRatherThanLeavingACopyOut) {
  const auto groups = PlanGroups(PoolId(1), 3, Servers(3, 3));
  ASSERT_THAT(groups, IsOk());
  for (const v1::PlacementGroup& group : *groups) {
    std::set<uint32_t> servers;
    for (const v1::Member& member : group.members()) servers.insert(member.server());
    EXPECT_EQ(servers.size(), 3u);
  }
}

TEST(PlanGroups, MembersAreActiveAsTheProcessesThatAreUp) {
  const auto groups = PlanGroups(PoolId(7), 2, Servers(3, 1));
  ASSERT_THAT(groups, IsOk());
  for (const v1::Member& member : groups->front().members()) {
    EXPECT_EQ(member.state(), v1::MEMBER_ACTIVE);
    EXPECT_EQ(member.incarnation(), member.server() + 9);
    EXPECT_EQ(member.boot_id(), "boot");
  }
  EXPECT_EQ(groups->front().pool(), 7u);
}

TEST(PlanGroups, SameServersGiveTheSameGroups) {
  const auto once = PlanGroups(PoolId(1), 3, Servers(5, 1));
  const auto twice = PlanGroups(PoolId(1), 3, Servers(5, 1));
  ASSERT_EQ(once->size(), twice->size());
  for (size_t i = 0; i < once->size(); ++i) {
    EXPECT_EQ((*once)[i].SerializeAsString(), (*twice)[i].SerializeAsString());
  }
}

TEST(PlanGroups, SaysHowManyServersAreMissing) {
  const auto groups = PlanGroups(PoolId(1), 3, Servers(1, 1));
  EXPECT_THAT(groups, StatusIs(ErrorCode::kUnavailable));
  EXPECT_THAT(groups.error().message(), ::testing::HasSubstr("2 are missing"));
}

}  // namespace
}  // namespace cairn
