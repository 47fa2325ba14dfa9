// Which groups shall get a new member, and which lose one: repair, drain and rebalance. The rules
// are in README.md beside this file. Pure: the same input gives the same plan.
#pragma once

#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "cairn/v1/common.pb.h"
#include "common/clock.h"
#include "common/ids.h"
#include "metaserver/placement/group_row.h"

namespace cairn {

// A server as placement sees it.
struct PlacementTarget {
  ServerId id;
  ServerId chunkserver{0};  // the process it is a disk of; 0: its own
  std::string host;
  std::string rack;
  ServerView view;
  Duration silence{0};
  bool draining = false;
  bool in_maintenance = false;  // its copies are not made anew elsewhere
  bool skip_grace = false;      // its copies are made anew at once
  uint64_t total_bytes = 0;     // 0: not known
  uint64_t available_bytes = 0;
};

struct GroupSize {
  uint64_t chunks = 0;
  uint64_t bytes = 0;
};

// How far one catch-up is, as its primary last said.
struct CopyState {
  uint64_t total_bytes = 0;
  uint64_t done_bytes = 0;
  bool throttled = false;
};

struct MovePolicy {
  Duration grace = std::chrono::seconds(30);
  uint32_t copies_in = 8;      // groups one server takes in at once
  uint32_t copies_out = 8;     // groups one primary copies from at once
  uint32_t rebalanced = 2;     // groups that move only for balance at once
  uint64_t full_percent = 90;  // above that much used a server takes no more groups
};

struct ClusterShape {
  const std::map<PoolId, v1::Pool>* pools = nullptr;
  const std::map<PgId, v1::PlacementGroup>* groups = nullptr;
  std::map<ServerId, PlacementTarget> targets;
  std::map<PgId, GroupSize> sizes;  // those that are known
  std::map<std::pair<PgId, ServerId>, CopyState> copies;
};

// Groups' next states, each with its epoch one higher; empty when nothing is to be moved. Only
// groups that PlanMembers leaves alone may be given.
std::vector<v1::PlacementGroup> PlanMoves(const ClusterShape& shape, const MovePolicy& policy);

// Does this member count as one of the copies wanted, now or soon? Not if its server drains, or has
// been silent for longer than the grace time and is not in maintenance; with one copy left neither
// is waited for.
bool CountsAsCopy(const v1::Member& member, const PlacementTarget& target, bool last_copy,
                  const MovePolicy& policy);

// One copy of several is left. One that is alone by choice is waited for: nobody could copy from it
// while it is away.
constexpr bool IsLastCopy(uint32_t serving, uint32_t wanted) {
  return serving <= 1 && wanted > 1;
}

// May the server take one more group?
bool MayTakeGroups(const PlacementTarget& target, const MovePolicy& policy);

}  // namespace cairn
