#include "chunkserver/replication/primary_groups.h"

#include <algorithm>
#include <utility>

namespace cairn {
namespace {
Status NotPrimary(PgId group) {
  return Status::Error(ErrorCode::kStaleEpoch, "this server is not the primary of group {}", group);
}
}  // namespace

Standing PrimaryGroups::GroupChanged(PgId id) {
  Standing standing;
  std::vector<Waiter> refused;
  std::vector<Waiter> served;
  {
    absl::MutexLock lock(&mu_);
    // Under the lock: a thread that was late must not put back what a newer epoch has changed.
    standing = table_.Current(id);
    if (standing.role != OwnRole::kPrimary) {
      if (const auto found = groups_.find(id); found != groups_.end()) {
        refused = std::move(found->second.waiters);
        groups_.erase(found);
      }
    } else {
      State& state = groups_[id];
      if (state.epoch != standing.group->epoch) state.attachments.clear();
      state.epoch = standing.group->epoch;
      state.activated = standing.group->activated;
      if (state.ready()) served = std::exchange(state.waiters, {});
    }
  }
  for (Waiter& waiter : refused) waiter.next(NotPrimary(id));
  for (Waiter& waiter : served) waiter.next(OkStatus());
  return standing;
}

bool PrimaryGroups::IsReady(PgId group) const {
  absl::MutexLock lock(&mu_);
  const auto found = groups_.find(group);
  return found != groups_.end() && found->second.ready();
}

bool PrimaryGroups::IsEqual(PgId group) const {
  absl::MutexLock lock(&mu_);
  const auto found = groups_.find(group);
  return found != groups_.end() && found->second.equal;
}

void PrimaryGroups::SetEqual(PgId group, Epoch epoch) {
  std::vector<Waiter> waiters;
  {
    absl::MutexLock lock(&mu_);
    const auto found = groups_.find(group);
    if (found == groups_.end() || found->second.epoch != epoch) return;
    found->second.equal = true;
    if (found->second.ready()) waiters = std::exchange(found->second.waiters, {});
  }
  for (Waiter& waiter : waiters) waiter.next(OkStatus());
}

void PrimaryGroups::WhenReady(PgId group, Deadline deadline, std::function<void(Status)> next) {
  Status status;
  {
    absl::MutexLock lock(&mu_);
    const auto found = groups_.find(group);
    if (found == groups_.end()) {
      status = NotPrimary(group);
    } else if (!found->second.ready()) {
      found->second.waiters.push_back({deadline, std::move(next)});
      return;
    }
  }
  next(status);
}

void PrimaryGroups::ExpireWaiters() {
  std::vector<std::pair<PgId, Waiter>> late;
  {
    absl::MutexLock lock(&mu_);
    for (auto& [id, state] : groups_) {
      for (Waiter& waiter : state.waiters) {
        if (waiter.deadline.Passed()) late.emplace_back(id, std::move(waiter));
      }
      std::erase_if(state.waiters, [](const Waiter& waiter) { return waiter.next == nullptr; });
    }
  }
  std::stable_sort(late.begin(), late.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [id, waiter] : late) {
    waiter.next(Status::Error(ErrorCode::kUnavailable,
                              "group {} is still comparing its copies after a change", id));
  }
}

std::optional<ChunkVersion> PrimaryGroups::NextVersion(PgId group, Epoch epoch) {
  absl::MutexLock lock(&mu_);
  const auto found = groups_.find(group);
  if (found == groups_.end() || !found->second.ready()) return std::nullopt;
  return ChunkVersion{epoch, ++found->second.counter};
}

std::vector<WriteTarget> PrimaryGroups::Targets(const Group& group, ChunkId id) {
  std::vector<WriteTarget> targets;
  for (const ServerId server : group.Active(table_.self())) targets.push_back({server, nullptr});
  absl::MutexLock lock(&mu_);
  const auto found = groups_.find(group.id);
  if (found == groups_.end()) return targets;
  for (const auto& [server, attachment] : found->second.attachments) {
    const Attachment::Take take = attachment->TakeWrite(id);
    if (take == Attachment::Take::kNo || group.IsActive(server)) continue;
    targets.push_back({server, take == Attachment::Take::kCounted ? attachment : nullptr});
  }
  return targets;
}

bool PrimaryGroups::IsPledged(PgId group, ServerId server) const {
  absl::MutexLock lock(&mu_);
  const auto found = groups_.find(group);
  if (found == groups_.end()) return false;
  const auto attached = found->second.attachments.find(server);
  return attached != found->second.attachments.end() && attached->second->pledged();
}

template <typename Decide>
Required PrimaryGroups::Find(PgId id, const Decide& must_have) const {
  absl::MutexLock lock(&mu_);
  Required required{table_.Current(id), {}};
  if (required.standing.group == nullptr) return required;
  const Group& group = *required.standing.group;
  required.servers = group.Active(table_.self());
  const auto found = groups_.find(id);
  if (found == groups_.end()) return required;
  for (const ServerId server : group.Syncing()) {
    const auto attached = found->second.attachments.find(server);
    if (attached == found->second.attachments.end()) continue;
    if (must_have(*attached->second)) required.servers.push_back(server);
  }
  return required;
}

Required PrimaryGroups::RequiredOf(PgId group) const {
  return Find(group, [](const Attachment& attachment) { return attachment.pledged(); });
}

Required PrimaryGroups::RequiredForWrite(PgId group, ChunkId id) {
  return Find(group, [id](Attachment& attachment) { return attachment.MustHave(id); });
}

std::shared_ptr<Attachment> PrimaryGroups::Attach(const Group& group, ServerId member) {
  absl::MutexLock lock(&mu_);
  const auto found = groups_.find(group.id);
  if (found == groups_.end() || found->second.epoch != group.epoch) return nullptr;
  auto attachment = std::make_shared<Attachment>(group.epoch, member);
  found->second.attachments[member] = attachment;
  return attachment;
}

void PrimaryGroups::Detach(PgId group, const Attachment& attachment) {
  absl::MutexLock lock(&mu_);
  const auto found = groups_.find(group);
  if (found == groups_.end()) return;
  const auto attached = found->second.attachments.find(attachment.member());
  if (attached != found->second.attachments.end() && attached->second.get() == &attachment) {
    found->second.attachments.erase(attached);
  }
}

void PrimaryGroups::Touch(PgId group, ChunkId id) {
  absl::MutexLock lock(&mu_);
  const auto found = groups_.find(group);
  if (found == groups_.end()) return;
  for (const auto& [server, attachment] : found->second.attachments) attachment->Touch(id);
}

}  // namespace cairn
