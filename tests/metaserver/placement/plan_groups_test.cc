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
    servers.push_back({ServerId(i + 1), "host" + std::to_string(i / per_host), "",
                       Incarnation(i + 10), "boot"});
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
