#include "chunkserver/store/block_doubts.h"

namespace cairn {

void BlockDoubts::AddSuspect(ChunkId id, PgId group, uint32_t block) {
  absl::MutexLock lock(&mu_);
  Doubts& doubts = chunks_[id];
  doubts.group = group;
  doubts.suspect.insert(block);
  any_ = true;
}

bool BlockDoubts::AddDamaged(ChunkId id, uint32_t block) {
  absl::MutexLock lock(&mu_);
  any_ = true;
  return chunks_[id].damaged.insert(block).second;
}

bool BlockDoubts::IsSuspect(ChunkId id, uint32_t block) const {
  if (!any_) return false;
  absl::MutexLock lock(&mu_);
  auto it = chunks_.find(id);
  return it != chunks_.end() && it->second.suspect.contains(block);
}

bool BlockDoubts::HasSuspects(ChunkId id) const {
  return !Suspects(id).empty();
}

std::set<uint32_t> BlockDoubts::Suspects(ChunkId id) const {
  if (!any_) return {};
  absl::MutexLock lock(&mu_);
  auto it = chunks_.find(id);
  return it == chunks_.end() ? std::set<uint32_t>() : it->second.suspect;
}

std::vector<ChunkId> BlockDoubts::SuspectChunks(PgId group) const {
  absl::MutexLock lock(&mu_);
  std::vector<ChunkId> ids;
  for (const auto& [id, doubts] : chunks_) {
    if (doubts.group == group && !doubts.suspect.empty()) ids.push_back(id);
  }
  return ids;
}

void BlockDoubts::Settle(ChunkId id, uint32_t block) {
  if (!any_) return;
  absl::MutexLock lock(&mu_);
  auto it = chunks_.find(id);
  if (it == chunks_.end()) return;
  it->second.suspect.erase(block);
  it->second.damaged.erase(block);
  if (it->second.suspect.empty() && it->second.damaged.empty()) chunks_.erase(it);
  any_ = !chunks_.empty();
}

void BlockDoubts::Forget(ChunkId id) {
  if (!any_) return;
  absl::MutexLock lock(&mu_);
  chunks_.erase(id);
  any_ = !chunks_.empty();
}

}  // namespace cairn
