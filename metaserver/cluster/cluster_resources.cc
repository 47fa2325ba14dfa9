#include "metaserver/cluster/cluster_resources.h"

#include <memory>
#include <utility>
#include <vector>

#include "common/logging.h"
#include "metaserver/cluster/outcome.h"
#include "metaserver/placement/plan_groups.h"

namespace cairn {

Result<v1::Command> ClusterResources::PlanCreation(const v1::Pool& pool,
                                                   const MapSnapshot& map) const {
  std::vector<PlacementServer> servers;
  for (const auto& [id, record] : map.servers) {
    if (registry_.View(record).presence != ServerView::Presence::kAlive) continue;
    servers.push_back({id, record.host(), Incarnation(record.incarnation()), record.boot_id()});
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

ClusterSpace::Space ClusterResources::CurrentSpace() const {
  Space space;
  const auto map = maps_.Get();
  if (!map.has_value()) return space;
  const v1::Pool* pool = (*map)->FindPool(PoolId(0));
  for (const auto& [id, record] : (*map)->servers) {
    const ServerCounters counters = registry_.Counters(id);
    space.total_bytes += counters.total_bytes;
    space.available_bytes += counters.available_bytes;
  }
  const uint32_t copies = pool == nullptr || pool->copies() == 0 ? 1 : pool->copies();
  return {space.total_bytes / copies, space.available_bytes / copies};
}

}  // namespace cairn
