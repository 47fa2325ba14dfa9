#include "metaserver/sessions/session_table.h"

#include <algorithm>
#include <utility>

#include "metaserver/store/rows.h"

namespace cairn {

namespace {
constexpr Duration kLongestGap = std::chrono::seconds(5);  // between two looks of a running process
}  // namespace

Status SessionTable::Restore(const ReadView& view) {
  absl::MutexLock lock(&mu_);
  sessions_.clear();
  openers_.clear();
  unreclaimed_.clear();
  const BootTime now = clock_.Now();
  last_look_.reset();
  restored_ = now;
  Status parsed;
  RETURN_IF_ERROR(view.Scan(schema::kSessionPrefix, schema::kSessionPrefix,
                            [&](std::string_view key, std::string_view value) {
                              v1::SessionRecord row;
                              parsed = ParseRow(key, value, row);
                              if (!parsed.ok()) return false;
                              mu_.AssertHeld();
                              const SessionId session(schema::KeyNumber(key.substr(1)));
                              Entry& entry = sessions_[session];
                              entry.last_heard = now;
                              if (row.has_user()) entry.user = row.user();
                              unreclaimed_.insert(session);
                              return true;
                            }));
  return parsed;
}

void SessionTable::Add(SessionId session, std::optional<uint32_t> user) {
  absl::MutexLock lock(&mu_);
  auto [entry, fresh] = sessions_.try_emplace(session);
  entry->second.last_heard = clock_.Now();
  if (!fresh) return;
  entry->second.reclaimed = true;
  entry->second.user = user;
}

void SessionTable::Remove(SessionId session) {
  absl::MutexLock lock(&mu_);
  auto entry = sessions_.find(session);
  if (entry == sessions_.end()) return;
  const absl::flat_hash_set<InodeId> open = std::move(entry->second.open);
  for (InodeId inode : open) LetGoLocked(session, inode);
  sessions_.erase(entry);
  unreclaimed_.erase(session);
}

bool SessionTable::Touch(SessionId session, std::optional<uint32_t> user) {
  absl::MutexLock lock(&mu_);
  auto entry = sessions_.find(session);
  if (entry == sessions_.end() || entry->second.ending) return false;
  if (user && entry->second.user != user) return false;
  entry->second.last_heard = clock_.Now();
  return true;
}

bool SessionTable::Reclaim(SessionId session, const std::vector<InodeId>& open_inodes) {
  absl::MutexLock lock(&mu_);
  auto entry = sessions_.find(session);
  if (entry == sessions_.end()) return false;
  for (InodeId inode : open_inodes) HoldLocked(session, entry->second, inode);
  entry->second.reclaimed = true;
  return unreclaimed_.erase(session) > 0;
}

bool SessionTable::IsReclaimed(SessionId session) const {
  absl::MutexLock lock(&mu_);
  auto entry = sessions_.find(session);
  return entry != sessions_.end() && entry->second.reclaimed;
}

SessionTable::OpenResult SessionTable::RegisterOpen(SessionId session, InodeId inode,
                                                    std::function<void()> again) {
  if (session.value == 0) return OpenResult::kRegistered;
  absl::MutexLock lock(&mu_);
  auto entry = sessions_.find(session);
  if (entry == sessions_.end() || entry->second.ending) return OpenResult::kUnknownSession;
  if (auto removal = removals_.find(inode); removal != removals_.end()) {
    removal->second.deferred.push_back(std::move(again));
    return OpenResult::kDeferred;
  }
  if (entry->second.open.size() >= kMaxOpenFiles) return OpenResult::kTooMany;
  HoldLocked(session, entry->second, inode);
  return OpenResult::kRegistered;
}

void SessionTable::RegisterNew(SessionId session, InodeId inode) {
  absl::MutexLock lock(&mu_);
  auto entry = sessions_.find(session);
  if (entry != sessions_.end()) HoldLocked(session, entry->second, inode);
}

void SessionTable::RegisterClose(SessionId session, InodeId inode) {
  absl::MutexLock lock(&mu_);
  auto entry = sessions_.find(session);
  if (entry == sessions_.end() || entry->second.open.erase(inode) == 0) return;
  LetGoLocked(session, inode);
}

bool SessionTable::MayHold(SessionId session, InodeId inode) const {
  absl::MutexLock lock(&mu_);
  auto entry = sessions_.find(session);
  if (entry == sessions_.end()) return false;
  return !entry->second.reclaimed || entry->second.open.contains(inode);
}

std::vector<SessionId> SessionTable::BeginRemoval(InodeId inode) {
  if (inode.value == 0) return {};
  absl::MutexLock lock(&mu_);
  ++removals_[inode].count;
  std::vector<SessionId> holders(unreclaimed_.begin(), unreclaimed_.end());
  if (auto openers = openers_.find(inode); openers != openers_.end()) {
    holders.insert(holders.end(), openers->second.begin(), openers->second.end());
  }
  std::sort(holders.begin(), holders.end());
  holders.erase(std::unique(holders.begin(), holders.end()), holders.end());
  return holders;
}

void SessionTable::EndRemoval(InodeId inode) {
  std::vector<std::function<void()>> deferred;
  {
    absl::MutexLock lock(&mu_);
    auto removal = removals_.find(inode);
    if (removal == removals_.end() || --removal->second.count > 0) return;
    deferred = std::move(removal->second.deferred);
    removals_.erase(removal);
  }
  for (const auto& again : deferred) again();
}

std::vector<SessionId> SessionTable::TakeSilent() {
  absl::MutexLock lock(&mu_);
  const BootTime now = clock_.Now();
  const bool paused = last_look_ && now - *last_look_ > kLongestGap;
  last_look_ = now;
  if (paused) restored_ = now;
  std::vector<SessionId> silent;
  for (auto& [session, entry] : sessions_) {
    if (paused) entry.last_heard = now;
    const BootTime since =
        entry.reclaimed ? entry.last_heard : std::min(entry.last_heard, restored_);
    if (entry.ending || now - since < timing::kSessionLife) continue;
    entry.ending = true;
    silent.push_back(session);
  }
  std::sort(silent.begin(), silent.end());
  return silent;
}

void SessionTable::KeepAfterAll(SessionId session) {
  absl::MutexLock lock(&mu_);
  auto entry = sessions_.find(session);
  if (entry != sessions_.end()) entry->second.ending = false;
}

size_t SessionTable::OpenFiles(SessionId session) const {
  absl::MutexLock lock(&mu_);
  auto entry = sessions_.find(session);
  return entry == sessions_.end() ? 0 : entry->second.open.size();
}

void SessionTable::HoldLocked(SessionId session, Entry& entry, InodeId inode) {
  if (entry.open.insert(inode).second) openers_[inode].push_back(session);
}

void SessionTable::LetGoLocked(SessionId session, InodeId inode) {
  auto openers = openers_.find(inode);
  std::erase(openers->second, session);
  if (openers->second.empty()) openers_.erase(openers);
}

}  // namespace cairn
