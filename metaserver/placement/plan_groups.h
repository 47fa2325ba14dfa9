// Which servers hold the copies of a new pool's placement groups. Pure and deterministic.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cairn/v1/common.pb.h"
#include "common/ids.h"
#include "common/status.h"

namespace cairn {

// Each target is a member of about this many groups of a pool.
inline constexpr uint32_t kGroupsPerTarget = 64;

struct PlacementServer {
  ServerId id;
  std::string host;
  std::string rack;
  Incarnation incarnation{0};
  std::string boot_id;
  uint64_t total_bytes = 0;  // 0: not known, counts as average
  ServerId chunkserver{0};   // the process it is a disk of; 0: its own
};

// How many groups a pool gets over so many targets.
constexpr uint32_t GroupCountFor(uint32_t copies, uint32_t targets) {
  return (kGroupsPerTarget * targets + copies - 1) / copies;
}

// The cluster has grown so much since the pool's groups were made that new files shall be spread
// over more of them. Those that are there move between targets, but never become more.
inline bool IsOutgrown(const v1::Pool& pool, uint32_t targets) {
  return pool.group_count() > 0 && pool.copies() > 0 &&
         GroupCountFor(pool.copies(), targets) >= 2 * pool.group_count();
}

// Groups for `pool` over `servers`: members of a group on distinct servers, and on distinct
// processes, hosts and racks when there are enough of them; memberships spread by size, primaries
// evenly. All members are active, for an empty group has nothing to copy. Ids and epochs are left
// to the one who commits them. kUnavailable says how many servers are missing.
Result<std::vector<v1::PlacementGroup>> PlanGroups(PoolId pool, uint32_t copies,
                                                   std::span<const PlacementServer> servers);

}  // namespace cairn
