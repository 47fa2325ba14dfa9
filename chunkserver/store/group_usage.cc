#include "chunkserver/store/group_usage.h"

#include "common/hash.h"

namespace cairn {
namespace {

uint64_t HashOf(ChunkId id, const ChunkRow& row) {
  uint64_t hash = MixBits(id.inode.value) + id.index;
  hash = MixBits(hash) + row.version.epoch.value;
  return MixBits(MixBits(hash) + row.version.counter);
}

}  // namespace

void GroupUsages::Add(ChunkId id, const ChunkRow& row) {
  absl::MutexLock lock(&mu_);
  GroupUsage& usage = groups_[row.group];
  ++usage.chunks;
  usage.blocks += row.present_blocks;
  usage.sum += HashOf(id, row);
}

void GroupUsages::Remove(ChunkId id, const ChunkRow& row) {
  absl::MutexLock lock(&mu_);
  GroupUsage& usage = groups_[row.group];
  --usage.chunks;
  usage.blocks -= row.present_blocks;
  usage.sum -= HashOf(id, row);
  if (usage.chunks == 0) groups_.erase(row.group);
}

GroupUsage GroupUsages::Of(PgId group) const {
  absl::MutexLock lock(&mu_);
  const auto found = groups_.find(group);
  return found == groups_.end() ? GroupUsage() : found->second;
}

}  // namespace cairn
