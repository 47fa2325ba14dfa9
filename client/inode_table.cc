#include "client/inode_table.h"

#include <algorithm>
#include <utility>

namespace cairn::client {

namespace {
constexpr size_t kMostMemories = 1 << 16;
}

Result<InodeStatePtr> InodeTable::Acquire(const v1::EntryResponse& entry, SessionId session) {
  InodeId inode(entry.attributes().inode());
  absl::MutexLock lock(&mu_);
  auto memory = memories_.find(inode);
  if (memory != memories_.end() &&
      memory->second.attributes.version() > entry.attributes().version()) {
    return Fail(ErrorCode::kBusy, "inode {} has changed since that answer", inode);
  }
  InodeStatePtr& state = states_[inode];
  // A state of a session that was lost stays with its handles and answers EIO there.
  bool fresh = state == nullptr || state->session != session;
  if (fresh) state = std::make_shared<InodeState>(inode, session);
  absl::MutexLock state_lock(&state->mu);
  if (fresh) Recall(*state);
  state->Learn(entry);
  if (state->file.layout().chunk_size() == 0) {
    if (fresh) states_.erase(inode);
    return Fail(ErrorCode::kCorruption, "inode {} came without a usable file map", inode);
  }
  if (fresh) session_->opens().Retain(inode);
  ++state->handles;
  return state;
}

InodeStatePtr InodeTable::Find(InodeId inode) const {
  absl::MutexLock lock(&mu_);
  auto it = states_.find(inode);
  return it == states_.end() ? nullptr : it->second;
}

void InodeTable::Release(const InodeStatePtr& state) {
  {
    absl::MutexLock lock(&state->mu);
    --state->handles;
  }
  RetireIfIdle(state);
}

void InodeTable::RetireIfIdle(const InodeStatePtr& state) {
  {
    absl::MutexLock lock(&mu_);
    absl::MutexLock state_lock(&state->mu);
    if (state->handles > 0 || state->retired || !state->Clean() || state->commit_holds > 0) return;
    state->retired = true;
    state->cache.Clear();
    auto it = states_.find(state->id);
    if (it == states_.end() || it->second != state) return;
    Remember(state->id, {state->attributes, state->cached_version, state->unsynced, {}});
    states_.erase(it);
  }
  session_->Release(state->session, state->id);
}

void InodeTable::Remember(InodeId inode, Memory memory) {
  if (auto old = memories_.find(inode); old != memories_.end()) ages_.erase(old->second.age);
  memory.age = ages_.insert(ages_.end(), inode);
  memories_.insert_or_assign(inode, std::move(memory));
  if (memories_.size() <= kMostMemories) return;
  memories_.erase(ages_.front());
  ages_.pop_front();
}

void InodeTable::Recall(InodeState& state) {
  auto it = memories_.find(state.id);
  if (it == memories_.end()) return;
  state.cached_version = it->second.cached_version;
  state.unsynced = it->second.unsynced;
  ages_.erase(it->second.age);
  memories_.erase(it);
}

uint64_t InodeTable::Reconcile(v1::EntryResponse& entry) const {
  InodeId inode(entry.attributes().inode());
  absl::MutexLock lock(&mu_);
  if (auto it = states_.find(inode); it != states_.end()) {
    InodeState& state = *it->second;
    absl::MutexLock state_lock(&state.mu);
    state.Learn(entry);
    *entry.mutable_attributes() = state.Overlaid();
    return (state.HeldBytes() + 511) / 512;
  }
  auto it = memories_.find(inode);
  if (it != memories_.end() && it->second.attributes.version() > entry.attributes().version()) {
    *entry.mutable_attributes() = it->second.attributes;
  }
  if (!entry.has_file()) return 0;
  uint64_t bytes = BytesIn(RunSet(entry.file().runs()), entry.file().layout().chunk_size(),
                           entry.attributes().size());
  return (bytes + 511) / 512;
}

std::vector<InodeStatePtr> InodeTable::Dirty() const {
  std::vector<InodeStatePtr> dirty;
  absl::MutexLock lock(&mu_);
  for (const auto& [inode, state] : states_) {
    absl::MutexLock state_lock(&state->mu);
    if (!state->Clean()) dirty.push_back(state);
  }
  return dirty;
}

}  // namespace cairn::client
