#include "metaserver/operations/operations.h"
#include "metaserver/operations/pools.h"

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
  const std::string before = pool->SerializeAsString();
  if (set.min_active() != 0) pool->set_min_active(set.min_active());
  if (set.end_generation() == pool->generation()) EndGeneration(*pool);
  if (pool->SerializeAsString() == before) return v1::Outcome();
  txn.Put(key, *pool);
  txn.mutable_state().set_map_version(txn.state().map_version() + 1);
  return v1::Outcome();
}

}  // namespace cairn
