#include <set>
#include <utility>
#include <vector>

#include "metaserver/operations/add_event.h"
#include "metaserver/operations/operations.h"
#include "metaserver/operations/pools.h"
#include "metaserver/placement/plan_loss.h"

namespace cairn {
namespace {

// What removing the server does to the groups whose rows name it.
struct Losses {
  std::vector<v1::PlacementGroup> groups;
  std::set<PoolId> broken_pools;  // one of their groups is lost
  uint32_t needed = 0;
  uint32_t lost = 0;
  uint32_t doubted = 0;
};

Result<Losses> LookAtLosses(ServerId server, const MetadataTransaction& txn) {
  Losses losses;
  for (uint32_t number = 1; number < txn.state().next_group(); ++number) {
    ASSIGN_OR_RETURN(const auto group,
                     LoadRow<v1::PlacementGroup>(txn, schema::GroupKey(PgId(number))));
    if (!group) continue;
    std::optional<LossPlan> plan = PlanLoss(*group, server);
    if (!plan) continue;
    losses.needed += group->lost() ? 0 : 1;
    losses.lost += plan->loss == GroupLoss::kLost ? 1 : 0;
    losses.doubted += plan->loss == GroupLoss::kDoubted ? 1 : 0;
    if (plan->loss == GroupLoss::kLost) losses.broken_pools.insert(PoolId(group->pool()));
    losses.groups.push_back(std::move(plan->next));
  }
  return losses;
}

// New files must not meet the groups that are lost.
Status EndGenerations(const std::set<PoolId>& pools, MetadataTransaction& txn) {
  for (const PoolId id : pools) {
    ASSIGN_OR_RETURN(auto pool, LoadRow<v1::Pool>(txn, schema::PoolKey(id)));
    if (!pool) return Status::Error(ErrorCode::kInternal, "pool {} has groups but no row", id);
    EndGeneration(*pool);
    txn.Put(schema::PoolKey(id), *pool);
  }
  return OkStatus();
}

v1::EventRecord LossEvent(ServerId server, const Losses& losses) {
  v1::EventRecord event;
  event.set_severity(losses.lost > 0 ? "error" : "warning");
  event.set_code("LOSS_ACCEPTED");
  event.set_subject(fmt::format("chunkserver {}", server));
  event.set_text(fmt::format("removed for good with the only copies of {} placement groups; {} "
                             "more go on without it once the other copies are back",
                             losses.lost, losses.doubted));
  return event;
}

}  // namespace

// The proposer has looked; what it saw may have changed since.
Result<v1::Outcome> RemoveServer(const v1::Command& command, MetadataTransaction& txn) {
  const ServerId id(command.remove_server().server());
  const std::string key = schema::ServerKey(id);
  ASSIGN_OR_RETURN(const auto server, LoadRow<v1::ServerRecord>(txn, key));
  if (!server) return Fail(ErrorCode::kNotFound, "there is no server {}", id);
  ASSIGN_OR_RETURN(Losses losses, LookAtLosses(id, txn));
  if (losses.needed != command.remove_server().give_up_groups()) {
    return Fail(ErrorCode::kNotEmpty, "server {} holds copies of {} placement groups", id,
                losses.needed);
  }
  const uint64_t version = txn.state().map_version() + 1;
  txn.mutable_state().set_map_version(version);
  for (v1::PlacementGroup& group : losses.groups) {
    group.set_changed_at(version);
    txn.Put(schema::GroupKey(PgId(group.id())), group);
  }
  RETURN_IF_ERROR(EndGenerations(losses.broken_pools, txn));
  if (losses.lost + losses.doubted > 0) AddEvent(LossEvent(id, losses), command.time(), txn);
  txn.Erase(key);
  txn.Erase(schema::DiskKey(server->disk_uuid()));
  v1::Outcome outcome;
  outcome.set_lost_groups(losses.lost);
  outcome.set_doubted_groups(losses.doubted);
  return outcome;
}

}  // namespace cairn
