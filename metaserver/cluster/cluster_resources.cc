#include "metaserver/cluster/cluster_resources.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common/disk_room.h"
#include "common/logging.h"
#include "metaserver/cluster/outcome.h"
#include "metaserver/operations/pools.h"
#include "metaserver/placement/chunkserver_of.h"
#include "metaserver/placement/plan_groups.h"

namespace cairn {

Result<v1::Command> ClusterResources::PlanCreation(const v1::Pool& pool,
                                                   const MapSnapshot& map) const {
  std::vector<PlacementServer> servers;
  for (const auto& [id, record] : map.servers) {
    if (registry_.View(record).presence != ServerView::Presence::kAlive) continue;
    if (record.state() != v1::SERVER_IN_SERVICE) continue;
    servers.push_back({id, record.host(), record.rack(), Incarnation(record.incarnation()),
                       record.boot_id(), registry_.Counters(id).total_bytes,
                       ChunkserverOf(record)});
  }
  ASSIGN_OR_RETURN(std::vector<v1::PlacementGroup> groups,
                   PlanGroups(PoolId(pool.id()), pool.copies(), servers));
  LOG_INFO("placement groups are made pool={} groups={} copies={} servers={}", pool.id(),
           groups.size(), pool.copies(), servers.size());
  v1::Command command;
  v1::CreateGroupsCommand& create = *command.mutable_create_groups();
  create.set_pool(pool.id());
  for (v1::PlacementGroup& group : groups) *create.add_groups() = std::move(group);
  return command;
}

void ClusterResources::Ensure(PoolId pool_id, std::function<void(Status)> done) {
  const auto map = maps_.Get();
  if (!map.has_value()) return done(map.error());
  const v1::Pool* pool = (*map)->FindPool(pool_id);
  if (pool == nullptr) {
    return done(Status::Error(ErrorCode::kNotFound, "there is no pool {}", pool_id));
  }
  if (pool->group_count() > 0) return done(OkStatus());
  Result<v1::Command> command = PlanCreation(*pool, **map);
  if (!command.has_value()) return done(command.error());
  state_.Propose(*std::move(command),
                 [this, pool_id, done = std::move(done)](Result<v1::Outcome> outcome) {
                   done(CheckCreated(pool_id, outcome));
                 });
}

// Two first uses at once: one creates the groups, the other finds them.
Status ClusterResources::CheckCreated(PoolId pool_id, const Result<v1::Outcome>& outcome) {
  maps_.Invalidate();
  const Status status = StatusOfOutcome(outcome);
  if (status.ok()) return status;
  ASSIGN_OR_RETURN(const std::shared_ptr<const MapSnapshot> map, maps_.Get());
  const v1::Pool* pool = map->FindPool(pool_id);
  return pool != nullptr && pool->group_count() > 0 ? OkStatus() : status;
}

// How many of the default pool's copies each server has; before there are groups, as they will be
// spread. Another pool's share would say how much room files with as many copies as it has find.
ClusterResources::Shares ClusterResources::SharesOf(const MapSnapshot& map) {
  Shares shares;
  for (const auto& [id, group] : map.groups) {
    if (PoolId(group.pool()) != kDefaultPool || group.lost()) continue;
    ++shares.of;
    for (const v1::Member& member : group.members()) ++shares.held[ServerId(member.server())];
  }
  if (shares.of > 0) return shares;
  const v1::Pool* pool = map.FindPool(kDefaultPool);
  shares.of = map.servers.size();
  for (const auto& [id, record] : map.servers) {
    shares.held[id] = pool == nullptr || pool->copies() == 0 ? 1 : pool->copies();
  }
  return shares;
}

std::optional<ClusterSpace::Space> ClusterResources::SpaceOn(const MapSnapshot& map,
                                                             bool with_gone) const {
  const Shares shares = SharesOf(map);
  std::optional<Space> space;
  for (const auto& [id, held] : shares.held) {
    const v1::ServerRecord* record = map.FindServer(id);
    const ServerCounters counters = registry_.Counters(id);
    if (record == nullptr || !counters.known) continue;
    const bool gone = registry_.View(*record).presence == ServerView::Presence::kGone;
    if (gone && !with_gone) continue;
    const Space here = {counters.total_bytes * shares.of / held,
                        counters.available_bytes * shares.of / held};
    if (!space) space = here;
    space->total_bytes = std::min(space->total_bytes, here.total_bytes);
    space->available_bytes = std::min(space->available_bytes, here.available_bytes);
  }
  return space;
}

Result<ClusterSpace::Space> ClusterResources::CurrentSpace() const {
  ASSIGN_OR_RETURN(const std::shared_ptr<const MapSnapshot> map, maps_.Get());
  if (const auto space = SpaceOn(*map, /*with_gone=*/false)) return *space;
  if (const auto space = SpaceOn(*map, /*with_gone=*/true)) return *space;
  return Fail(ErrorCode::kUnavailable, "no chunkserver has said how much room it has");
}

// Of a server that is drained or away nobody knows how long its groups still need it.
bool ClusterResources::NearFull() const {
  const auto map = maps_.Get();
  if (!map.has_value()) return false;
  return std::any_of((*map)->servers.begin(), (*map)->servers.end(), [this](const auto& entry) {
    if (registry_.View(entry.second).presence == ServerView::Presence::kGone) return false;
    const ServerCounters counters = registry_.Counters(entry.first);
    return counters.known && IsNearFull(counters.total_bytes, counters.available_bytes);
  });
}

}  // namespace cairn
