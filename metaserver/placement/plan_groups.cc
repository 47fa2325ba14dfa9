#include "metaserver/placement/plan_groups.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "common/hash.h"

namespace cairn {
namespace {

// How full one server is with what has been planned so far.
struct Load {
  const PlacementServer* server;
  double weight = 1;  // its share of the room, 1 for an average server
  uint32_t memberships = 0;
  uint32_t primaries = 0;
};

uint64_t TieBreak(uint32_t group, ServerId server) {
  return MixBits((uint64_t{group} << 32) | server.value);
}

// How many of `taken` are in the same process, on the same host, and on the same rack.
std::tuple<int, int, int> Neighbours(const Load& load, const std::vector<Load*>& taken) {
  int process = 0;
  int host = 0;
  int rack = 0;
  for (const Load* other : taken) {
    const bool has_process = load.server->chunkserver != ServerId();
    process += has_process && other->server->chunkserver == load.server->chunkserver ? 1 : 0;
    host += other->server->host == load.server->host ? 1 : 0;
    const bool same_rack = !load.server->rack.empty() && other->server->rack == load.server->rack;
    rack += same_rack ? 1 : 0;
  }
  return {process, host, rack};
}

// The least loaded server outside `taken`, as far from those as can be.
Load* NextMember(std::vector<Load>& loads, uint32_t group, const std::vector<Load*>& taken) {
  const auto rank = [&](const Load& load) {
    return std::tuple(Neighbours(load, taken), (load.memberships + 1) / load.weight,
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
  while (members.size() < copies) {
    Load* next = NextMember(loads, group, members);
    next->memberships++;
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

void Weigh(std::vector<Load>& loads) {
  double sum = 0;
  int known = 0;
  for (const Load& load : loads) {
    sum += static_cast<double>(load.server->total_bytes);
    known += load.server->total_bytes > 0 ? 1 : 0;
  }
  for (Load& load : loads) {
    if (load.server->total_bytes == 0) continue;
    load.weight = static_cast<double>(load.server->total_bytes) * known / sum;
  }
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
  Weigh(loads);
  const uint32_t targets = static_cast<uint32_t>(servers.size());
  const uint32_t count = GroupCountFor(copies, targets);
  std::vector<v1::PlacementGroup> groups;
  groups.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    groups.push_back(MakeGroup(pool, ChooseMembers(loads, i, copies)));
  }
  return groups;
}

}  // namespace cairn
