#include "chunkserver/store/unsealed_chunks.h"

#include <algorithm>

namespace cairn {

void UnsealedChunks::NoteChange(ChunkId id, PgId group, BootTime now) {
  absl::MutexLock lock(&mu_);
  const auto [found, is_new] = chunks_.try_emplace(id);
  State& state = found->second;
  if (!is_new && state.group != group) groups_[state.group].erase(id);
  if (is_new || state.group != group) groups_[group].insert(id);
  state.group = group;
  state.changed = now;
  state.change = ++last_change_;
  if (state.first_change == 0) state.first_change = state.change;
}

void UnsealedChunks::NoteNewFile(ChunkId id) {
  absl::MutexLock lock(&mu_);
  const auto found = chunks_.find(id);
  if (found == chunks_.end()) return;  // a new entry begins like that
  found->second.change = found->second.file_made = ++last_change_;
  found->second.entry_synced = false;
}

void UnsealedChunks::Forget(ChunkId id) {
  absl::MutexLock lock(&mu_);
  const auto found = chunks_.find(id);
  if (found == chunks_.end()) return;
  const auto group = groups_.find(found->second.group);
  group->second.erase(id);
  if (group->second.empty()) groups_.erase(group);
  chunks_.erase(found);
}

std::vector<ChunkId> UnsealedChunks::OfGroup(PgId group) const {
  absl::MutexLock lock(&mu_);
  const auto found = groups_.find(group);
  if (found == groups_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

namespace {
bool ById(const UnsealedChunks::Dirty& a, const UnsealedChunks::Dirty& b) {
  return a.id < b.id;
}
}  // namespace

UnsealedChunks::Dirty UnsealedChunks::Describe(ChunkId id, const State& state) {
  return {id, state.change, state.change == state.synced, state.entry_synced};
}

std::optional<UnsealedChunks::Dirty> UnsealedChunks::Find(ChunkId id) const {
  absl::MutexLock lock(&mu_);
  auto it = chunks_.find(id);
  if (it == chunks_.end()) return std::nullopt;
  return Describe(id, it->second);
}

std::vector<UnsealedChunks::Dirty> UnsealedChunks::All() const {
  absl::MutexLock lock(&mu_);
  std::vector<Dirty> all;
  for (const auto& [id, state] : chunks_) all.push_back(Describe(id, state));
  std::sort(all.begin(), all.end(), ById);
  return all;
}

std::vector<UnsealedChunks::Dirty> UnsealedChunks::IdleSince(BootTime moment) const {
  absl::MutexLock lock(&mu_);
  std::vector<Dirty> idle;
  for (const auto& [id, state] : chunks_) {
    if (state.changed <= moment) idle.push_back(Describe(id, state));
  }
  std::sort(idle.begin(), idle.end(), ById);
  return idle;
}

void UnsealedChunks::NoteSynced(const Dirty& synced) {
  absl::MutexLock lock(&mu_);
  auto it = chunks_.find(synced.id);
  // A removed chunk may be back as a new file, whose changes are all later ones.
  if (it == chunks_.end() || synced.change < it->second.first_change) return;
  it->second.synced = std::max(it->second.synced, synced.change);
  if (synced.change >= it->second.file_made) it->second.entry_synced = true;
}

}  // namespace cairn
