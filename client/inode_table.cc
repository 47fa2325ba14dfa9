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
  bool remembered = fresh && Recall(*state);
  state->Learn(entry);
  if (state->file.layout().chunk_size() == 0) {
    if (fresh) states_.erase(inode);
    return Fail(ErrorCode::kCorruption, "inode {} came without a usable file map", inode);
  }
  // Whoever wrote it, perhaps this mount long ago: an fsync has to cover it.
  if (fresh && !remembered) state->unsynced.AddUnknown(state->runs);
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
  Extension::Standing extension{};
  {
    absl::MutexLock lock(&mu_);
    Status untold;
    bool current = false;
    {
      absl::MutexLock state_lock(&state->mu);
      bool idle = state->handles == 0 && state->Clean() && state->commit_holds == 0;
      if (!idle || state->retired) return;
      state->retired = true;
      extension = state->extension.standing();
      state->cache.Clear();
      if (state->error_untold) untold = state->error;
      auto it = states_.find(state->id);
      current = it != states_.end() && it->second == state;
      if (current) {
        Remember(state->id,
                 {state->attributes, state->cached_version, state->unsynced, untold, {}});
        states_.erase(it);
      }
    }
    if (!current) return PassOn(state->id, untold);
  }
  session_->Release(state->session, state->id, extension);
}

// The file was opened again under another session.
void InodeTable::PassOn(InodeId inode, const Status& untold) {
  if (untold.ok()) return;
  if (auto it = states_.find(inode); it != states_.end()) {
    absl::MutexLock lock(&it->second->mu);
    return it->second->Failed(untold);
  }
  auto it = memories_.find(inode);
  if (it == memories_.end() || !it->second.untold.ok()) return;
  it->second.untold = untold;
  ++untold_errors_;
}

void InodeTable::Remember(InodeId inode, Memory memory) {
  Forget(inode);
  memory.age = ages_.insert(ages_.end(), inode);
  if (!memory.untold.ok()) ++untold_errors_;
  memories_.emplace(inode, std::move(memory));
  if (memories_.size() > kMostMemories) Forget(InodeId(ages_.front()));
}

void InodeTable::Forget(InodeId inode) {
  auto it = memories_.find(inode);
  if (it == memories_.end()) return;
  if (!it->second.untold.ok()) --untold_errors_;
  ages_.erase(it->second.age);
  memories_.erase(it);
}

bool InodeTable::Recall(InodeState& state) {
  auto it = memories_.find(state.id);
  if (it == memories_.end()) return false;
  state.cached_version = it->second.cached_version;
  state.unsynced = it->second.unsynced;
  if (!it->second.untold.ok()) state.Failed(it->second.untold);
  Forget(state.id);
  return true;
}

Status InodeTable::TakeUntoldError(InodeId inode) {
  absl::MutexLock lock(&mu_);
  if (auto it = states_.find(inode); it != states_.end()) {
    absl::MutexLock state_lock(&it->second->mu);
    return std::exchange(it->second->error_untold, false) ? it->second->error : OkStatus();
  }
  auto it = memories_.find(inode);
  if (it == memories_.end() || it->second.untold.ok()) return OkStatus();
  --untold_errors_;
  return std::exchange(it->second.untold, OkStatus());
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

std::vector<InodeStatePtr> InodeTable::All() const {
  std::vector<InodeStatePtr> all;
  absl::MutexLock lock(&mu_);
  for (const auto& [inode, state] : states_) all.push_back(state);
  return all;
}

bool InodeTable::OwesNothing() const {
  absl::MutexLock lock(&mu_);
  return untold_errors_ == 0 &&
         std::all_of(states_.begin(), states_.end(), [](const auto& entry) {
           absl::MutexLock state_lock(&entry.second->mu);
           return entry.second->Clean() && !entry.second->error_untold;
         });
}

}  // namespace cairn::client
