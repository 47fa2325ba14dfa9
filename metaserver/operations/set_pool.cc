#include "metaserver/operations/operations.h"

namespace cairn {

Result<v1::Outcome> SetPool(const v1::Command& command, MetadataTransaction& txn) {
  const v1::SetPoolCommand& set = command.set_pool();
  const std::string key = schema::PoolKey(PoolId(set.pool()));
  ASSIGN_OR_RETURN(auto pool, LoadRow<v1::Pool>(txn, key));
  if (!pool) return Fail(ErrorCode::kNotFound, "pool {}", set.pool());
  if (set.min_active() > pool->copies()) {
    return Fail(ErrorCode::kInvalidArgument, "{} of {} copies active", set.min_active(),
                pool->copies());
  }
  if (set.min_active() == 0 || set.min_active() == pool->min_active()) return v1::Outcome();
  pool->set_min_active(set.min_active());
  txn.Put(key, *pool);
  txn.mutable_state().set_map_version(txn.state().map_version() + 1);
  return v1::Outcome();
}

}  // namespace cairn
