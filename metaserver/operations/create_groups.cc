#include "metaserver/operations/group_checks.h"
#include "metaserver/operations/operations.h"
#include "metaserver/placement/group_row.h"

namespace cairn {

namespace {
constexpr int kMaxGroups = 65536;  // of one pool generation
}

Result<v1::Outcome> CreateGroups(const v1::Command& command, MetadataTransaction& txn) {
  const v1::CreateGroupsCommand& create = command.create_groups();
  const PoolId pool_id(create.pool());
  ASSIGN_OR_RETURN(auto pool, LoadRow<v1::Pool>(txn, schema::PoolKey(pool_id)));
  if (!pool) return Fail(ErrorCode::kNotFound, "pool {}", pool_id);
  if (pool->group_count() != 0) return Fail(ErrorCode::kExists, "pool {} has groups", pool_id);
  if (create.groups().empty() || create.groups_size() > kMaxGroups) {
    return Fail(ErrorCode::kInvalidArgument, "{} groups", create.groups_size());
  }
  v1::StateRecord& state = txn.mutable_state();
  state.set_map_version(state.map_version() + 1);
  pool->set_first_group(state.next_group());
  pool->set_group_count(static_cast<uint32_t>(create.groups_size()));
  for (v1::PlacementGroup group : create.groups()) {
    RETURN_IF_ERROR(CheckMembers(group, txn));
    group.set_id(state.next_group());
    group.set_pool(pool_id.value);
    group.set_epoch(1);
    Activate(group);  // it is empty: there is nothing a member could lack
    group.set_changed_at(state.map_version());
    txn.Put(schema::GroupKey(PgId(group.id())), group);
    state.set_next_group(group.id() + 1);
  }
  txn.Put(schema::PoolKey(pool_id), *pool);
  return v1::Outcome();
}

}  // namespace cairn
