#include "metaserver/operations/operations.h"
#include "metaserver/operations/pools.h"
#include "metaserver/operations/times.h"

namespace cairn {
namespace {

Status CheckRequest(const v1::SetLayoutCommand& set) {
  const bool sets_something = set.copies() != 0 || set.chunk_size() != 0;
  if (sets_something == set.inherit()) {
    return Status(ErrorCode::kInvalidArgument,
                  "a directory is told copies or a chunk size, or else to inherit both");
  }
  if (set.copies() > kMaxCopies) {
    return Status::Error(ErrorCode::kInvalidArgument, "copies is 1 to {}, not {}", kMaxCopies,
                         set.copies());
  }
  if (set.chunk_size() == 0 || IsChunkSize(set.chunk_size())) return OkStatus();
  return Status::Error(ErrorCode::kInvalidArgument,
                       "chunks of {} bytes: a power of two from {} to {} is needed",
                       set.chunk_size(), kMinChunkSize, kMaxChunkSize);
}

v1::Pool NewPool(PoolId id, uint32_t copies, const v1::Pool& like) {
  v1::Pool pool;
  pool.set_id(id.value);
  pool.set_copies(copies);
  pool.set_min_active(DefaultMinActive(copies));
  pool.set_chunk_size(like.chunk_size());
  pool.set_generation(1);
  return pool;
}

// The pool that keeps so many copies; pools are numbered without gaps. One that is made now gets
// its groups on first use.
Result<PoolId> PoolFor(uint32_t copies, MetadataTransaction& txn) {
  ASSIGN_OR_RETURN(const auto first, LoadRow<v1::Pool>(txn, schema::PoolKey(kDefaultPool)));
  if (!first) return Fail(ErrorCode::kInternal, "there is no pool {}", kDefaultPool);
  for (PoolId id = kDefaultPool;; id = PoolId(id.value + 1)) {
    ASSIGN_OR_RETURN(const auto pool, LoadRow<v1::Pool>(txn, schema::PoolKey(id)));
    if (pool && pool->copies() == copies) return id;
    if (pool) continue;
    txn.Put(schema::PoolKey(id), NewPool(id, copies, *first));
    txn.mutable_state().set_map_version(txn.state().map_version() + 1);
    return id;
  }
}

Status ChangePolicy(const v1::SetLayoutCommand& set, v1::LayoutPolicy& policy,
                    MetadataTransaction& txn) {
  if (policy.pool() == 0) policy.set_pool(kDefaultPool.value);
  if (set.chunk_size() != 0) policy.set_chunk_size(set.chunk_size());
  if (set.copies() == 0) return OkStatus();
  ASSIGN_OR_RETURN(const PoolId pool, PoolFor(set.copies(), txn));
  policy.set_pool(pool.value);
  return OkStatus();
}

}  // namespace

Result<v1::Outcome> SetLayout(const v1::Command& command, MetadataTransaction& txn) {
  const v1::SetLayoutCommand& set = command.set_layout();
  RETURN_IF_ERROR(CheckRequest(set));
  ASSIGN_OR_RETURN(v1::InodeRecord directory, LoadDirectory(txn, InodeId(set.inode())));
  if (set.inherit()) {
    directory.clear_layout_policy();
  } else {
    RETURN_IF_ERROR(ChangePolicy(set, *directory.mutable_layout_policy(), txn));
  }
  MarkChanged(directory, command.time());
  txn.StoreInode(directory);
  v1::Outcome outcome;
  outcome.set_inode(set.inode());
  return outcome;
}

}  // namespace cairn
