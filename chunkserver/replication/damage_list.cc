#include "chunkserver/replication/damage_list.h"

namespace cairn {

// Null when so many chunks are listed that one more tells nobody anything.
DamageList::Damage* DamageList::Find(ChunkId id, PgId group) {
  if (chunks_.size() >= kMost && !chunks_.contains(id)) return nullptr;
  Damage& damage = chunks_[id];
  damage.group = group;
  return &damage;
}

void DamageList::AddBlock(ChunkId id, PgId group, uint32_t block) {
  absl::MutexLock lock(&mu_);
  if (Damage* damage = Find(id, group)) damage->blocks.insert(block);
}

void DamageList::AddChunk(ChunkId id, PgId group) {
  absl::MutexLock lock(&mu_);
  if (Damage* damage = Find(id, group)) damage->missing = true;
}

void DamageList::RemoveBlocks(ChunkId id, uint32_t first, uint32_t end) {
  absl::MutexLock lock(&mu_);
  const auto found = chunks_.find(id);
  if (found == chunks_.end()) return;
  Damage& damage = found->second;
  damage.missing = false;  // it has blocks
  damage.blocks.erase(damage.blocks.lower_bound(first), damage.blocks.lower_bound(end));
  if (damage.blocks.empty()) chunks_.erase(found);
}

void DamageList::Remove(ChunkId id) {
  absl::MutexLock lock(&mu_);
  chunks_.erase(id);
}

std::vector<std::pair<ChunkId, PgId>> DamageList::List() const {
  absl::MutexLock lock(&mu_);
  std::vector<std::pair<ChunkId, PgId>> list;
  for (const auto& [id, damage] : chunks_) list.emplace_back(id, damage.group);
  return list;
}

}  // namespace cairn
