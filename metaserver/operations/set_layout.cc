#include "common/ids.h"
#include "metaserver/operations/new_entry.h"
#include "metaserver/operations/operations.h"
#include "metaserver/operations/times.h"

namespace cairn {
namespace {

Status CheckChunkSize(uint32_t size) {
  const bool power_of_two = (size & (size - 1)) == 0;
  if (size == 0 || (size >= kMinChunkSize && size <= kMaxChunkSize && power_of_two)) {
    return OkStatus();
  }
  return Status::Error(ErrorCode::kInvalidArgument,
                       "chunks of {} bytes; a power of two from {} to {} is needed", size,
                       kMinChunkSize, kMaxChunkSize);
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

// The pool that keeps so many copies; pools are numbered without gaps. One that is made now gets its
// groups on first use.
Result<PoolId> PoolFor(uint32_t copies, MetadataTransaction& txn) {
  if (copies > kMaxCopies) return Fail(ErrorCode::kInvalidArgument, "{} copies", copies);
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

}  // namespace

Result<v1::Outcome> SetLayout(const v1::Command& command, MetadataTransaction& txn) {
  const v1::SetLayoutCommand& set = command.set_layout();
  RETURN_IF_ERROR(CheckChunkSize(set.chunk_size()));
  ASSIGN_OR_RETURN(v1::InodeRecord directory, LoadDirectory(txn, InodeId(set.inode())));
  if (set.inherit()) {
    directory.clear_layout_policy();
  } else {
    v1::LayoutPolicy& policy = *directory.mutable_layout_policy();
    if (policy.pool() == 0) policy.set_pool(kDefaultPool.value);
    if (set.chunk_size() != 0) policy.set_chunk_size(set.chunk_size());
    if (set.copies() != 0) {
      ASSIGN_OR_RETURN(const PoolId pool, PoolFor(set.copies(), txn));
      policy.set_pool(pool.value);
    }
  }
  MarkChanged(directory, command.time());
  txn.StoreInode(directory);
  v1::Outcome outcome;
  outcome.set_inode(set.inode());
  return outcome;
}

}  // namespace cairn
