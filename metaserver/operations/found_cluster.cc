#include <sys/stat.h>

#include "common/data_directory.h"
#include "metaserver/operations/operations.h"
#include "metaserver/operations/pools.h"
#include "metaserver/operations/times.h"

namespace cairn {

namespace {

Status CheckRequest(const v1::FoundClusterCommand& found) {
  if (found.cluster_id().empty() || found.cluster_id().size() > kMaxClusterIdBytes) {
    return Status::Error(ErrorCode::kInvalidArgument, "a cluster id of {} bytes",
                         found.cluster_id().size());
  }
  if (found.copies() == 0 || found.copies() > kMaxCopies) {
    return Status::Error(ErrorCode::kInvalidArgument, "{} copies", found.copies());
  }
  if (found.min_active() > found.copies()) {
    return Status::Error(ErrorCode::kInvalidArgument, "{} of {} copies active", found.min_active(),
                         found.copies());
  }
  if (found.chunk_size() != 0 && !IsChunkSize(found.chunk_size())) {
    return Status::Error(ErrorCode::kInvalidArgument, "chunks of {} bytes", found.chunk_size());
  }
  return OkStatus();
}

v1::Pool DefaultPool(const v1::FoundClusterCommand& found) {
  v1::Pool pool;
  pool.set_id(kDefaultPool.value);
  pool.set_copies(found.copies());
  pool.set_min_active(found.min_active() != 0 ? found.min_active()
                                              : DefaultMinActive(found.copies()));
  pool.set_chunk_size(found.chunk_size() != 0 ? found.chunk_size() : kDefaultChunkSize);
  pool.set_generation(1);
  return pool;
}

v1::InodeRecord RootDirectory(const v1::FoundClusterCommand& found, const v1::Time& time) {
  v1::InodeRecord root;
  root.set_parent(kRootInode.value);
  v1::Attributes& attributes = *root.mutable_attributes();
  attributes.set_inode(kRootInode.value);
  const uint32_t bits = found.root_mode() & 07777;
  attributes.set_mode(S_IFDIR | (bits != 0 ? bits : 0755));
  attributes.set_links(2);
  attributes.set_uid(found.root_uid());
  attributes.set_gid(found.root_gid());
  MarkBorn(root, time);
  return root;
}

}  // namespace

Result<v1::Outcome> FoundCluster(const v1::Command& command, MetadataTransaction& txn) {
  const v1::FoundClusterCommand& found = command.found_cluster();
  RETURN_IF_ERROR(CheckRequest(found));
  v1::StateRecord& state = txn.mutable_state();
  if (state.cluster_id() == found.cluster_id()) return v1::Outcome();
  if (!state.cluster_id().empty()) {
    return Fail(ErrorCode::kWrongCluster, "this is cluster {}", state.cluster_id());
  }
  state.set_cluster_id(found.cluster_id());
  state.set_next_inode(kRootInode.value + 1);
  state.set_next_server(1);
  state.set_next_session(1);
  state.set_next_group(1);
  state.set_map_version(1);
  state.set_next_metaserver(found.last_metaserver() + 1);
  // A change of the group that came before it is newer.
  if (state.metaservers().empty()) state.set_metaservers(found.membership());
  txn.Put(schema::PoolKey(kDefaultPool), DefaultPool(found));
  v1::InodeRecord root = RootDirectory(found, command.time());
  txn.AddInode(root);
  v1::Outcome outcome;
  outcome.set_inode(kRootInode.value);
  return outcome;
}

}  // namespace cairn
