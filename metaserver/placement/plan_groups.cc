#include "metaserver/placement/plan_groups.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "common/hash.h"

namespace cairn {
namespace {

// How full one server is with what has been planned so far.
struct Load {
  const PlacementServer* server;
  uint32_t memberships = 0;
  uint32_t primaries = 0;
};

uint64_t TieBreak(uint32_t group, ServerId server) {
  return MixBits((uint64_t{group} << 32) | server.value);
}

// The least loaded server outside `taken`, on a host outside `hosts` if there is one.
Load* NextMember(std::vector<Load>& loads, uint32_t group, const std::vector<Load*>& taken,
                 const std::set<std::string>& hosts) {
  const auto rank = [&](const Load& load) {
    return std::tuple(hosts.contains(load.server->host), load.memberships,
                      TieBreak(group, load.server->id));
  };
  Load* best = nullptr;
  for (Load& load : loads) {
    if (std::find(taken.begin(), taken.end(), &load) != taken.end()) continue;
    if (best == nullptr || rank(load) < rank(*best)) best = &load;
  }
  return best;
}

std::vector<Load*> ChooseMembers(std::vector<Load>& loads, uint32_t group, uint32_t copies) {
  std::vector<Load*> members;
  std::set<std::string> hosts;
  while (members.size() < copies) {
    Load* next = NextMember(loads, group, members, hosts);
    next->memberships++;
    hosts.insert(next->server->host);
    members.push_back(next);
  }
  // The first member is the primary: the one with the fewest so far.
  std::sort(members.begin(), members.end(), [&](const Load* a, const Load* b) {
    return std::tuple(a->primaries, TieBreak(group, a->server->id)) <
           std::tuple(b->primaries, TieBreak(group, b->server->id));
  });
  members.front()->primaries++;
  return members;
}

v1::PlacementGroup MakeGroup(PoolId pool, const std::vector<Load*>& members) {
  v1::PlacementGroup group;
  group.set_pool(pool.value);
  for (const Load* load : members) {
    v1::Member& member = *group.add_members();
    member.set_server(load->server->id.value);
    member.set_state(v1::MEMBER_ACTIVE);
    member.set_incarnation(load->server->incarnation.value);
    member.set_boot_id(load->server->boot_id);
  }
  return group;
}

}  // namespace

Result<std::vector<v1::PlacementGroup>> PlanGroups(PoolId pool, uint32_t copies,
                                                   std::span<const PlacementServer> servers) {
  if (copies == 0) return Fail(ErrorCode::kInvalidArgument, "pool {} keeps no copies", pool);
  if (servers.size() < copies) {
    return Fail(ErrorCode::kUnavailable,
                "{} copies need {} chunkservers: {} are up, {} are missing", copies, copies,
                servers.size(), copies - servers.size());
  }
  std::vector<Load> loads;
  for (const PlacementServer& server : servers) loads.push_back({&server});
  const uint32_t targets = static_cast<uint32_t>(servers.size());
  const uint32_t count = (kGroupsPerTarget * targets + copies - 1) / copies;
  std::vector<v1::PlacementGroup> groups;
  groups.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    groups.push_back(MakeGroup(pool, ChooseMembers(loads, i, copies)));
  }
  return groups;
}

}  // namespace cairn
