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

void GroupUsages::Replace(ChunkId id, const std::optional<ChunkRow>& before,
                          const std::optional<ChunkRow>& now) {
  absl::MutexLock lock(&mu_);
  if (now) {
    GroupUsage& usage = groups_[now->group];
    ++usage.chunks;
    usage.blocks += now->present_blocks;
    usage.sum += HashOf(id, *now);
  }
  if (!before) return;
  GroupUsage& usage = groups_[before->group];
  --usage.chunks;
  usage.blocks -= before->present_blocks;
  usage.sum -= HashOf(id, *before);
  if (usage.chunks == 0) groups_.erase(before->group);
}

GroupUsage GroupUsages::Of(PgId group) const {
  absl::MutexLock lock(&mu_);
  const auto found = groups_.find(group);
  return found == groups_.end() ? GroupUsage() : found->second;
}

}  // namespace cairn
