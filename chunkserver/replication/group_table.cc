#include "chunkserver/replication/group_table.h"

#include <algorithm>
#include <utility>

#include "chunkserver/replication/seeded_bug.h"

namespace cairn {

std::optional<ServerId> Group::primary() const {
  for (const GroupMember& member : members) {
    if (member.active) return member.server;
  }
  return std::nullopt;
}

bool Group::IsMember(ServerId server) const {
  return std::any_of(members.begin(), members.end(),
                     [&](const GroupMember& m) { return m.server == server; });
}

bool Group::IsActive(ServerId server) const {
  return std::any_of(members.begin(), members.end(),
                     [&](const GroupMember& m) { return m.server == server && m.active; });
}

size_t Group::active_count() const {
  return static_cast<size_t>(
      std::count_if(members.begin(), members.end(), [](const GroupMember& m) { return m.active; }));
}

std::vector<ServerId> Group::Active(ServerId except) const {
  std::vector<ServerId> servers;
  for (const GroupMember& member : members) {
    if (member.active && member.server != except) servers.push_back(member.server);
  }
  return servers;
}

std::vector<ServerId> Group::Syncing() const {
  std::vector<ServerId> servers;
  for (const GroupMember& member : members) {
    if (!member.active && !member.leaving) servers.push_back(member.server);
  }
  return servers;
}

std::vector<ServerId> Group::Leaving() const {
  std::vector<ServerId> servers;
  for (const GroupMember& member : members) {
    if (member.leaving) servers.push_back(member.server);
  }
  return servers;
}

namespace {
GroupPtr GroupFromProto(const v1::PlacementGroup& row) {
  auto group = std::make_shared<Group>();
  group->id = PgId(row.id());
  group->epoch = Epoch(row.epoch());
  group->pool = PoolId(row.pool());
  group->activated = row.activated_epoch() == row.epoch();
  group->power_lost = Epoch(row.power_lost_epoch());
  group->changed_at = row.changed_at();
  for (const v1::Member& member : row.members()) {
    if (member.state() == v1::MEMBER_NONE) continue;
    group->members.push_back({ServerId(member.server()), member.state() == v1::MEMBER_ACTIVE,
                              Incarnation(member.incarnation()),
                              member.state() == v1::MEMBER_LEAVING});
  }
  return group;
}

bool IsNewer(const v1::PlacementGroup& row, const Group& known) {
  if (Epoch(row.epoch()) != known.epoch) return Epoch(row.epoch()) > known.epoch;
  return row.changed_at() > known.changed_at;
}
}  // namespace

void GroupTable::SetSelf(ServerId self, Incarnation incarnation) {
  absl::WriterMutexLock lock(&mu_);
  self_ = self;
  incarnation_ = incarnation;
  if (watch_ != nullptr) watch_->AllGroupsChanged();
}

ServerId GroupTable::self() const {
  absl::ReaderMutexLock lock(&mu_);
  return self_;
}

Incarnation GroupTable::incarnation() const {
  absl::ReaderMutexLock lock(&mu_);
  return incarnation_;
}

void GroupTable::ExtendLease(BootTime until) {
  absl::WriterMutexLock lock(&mu_);
  lease_until_ = std::max(lease_until_, until);
  if (watch_ != nullptr && revoked_.empty()) watch_->LeaseExtended(lease_until_);
}

void GroupTable::Revoke(std::string why) {
  absl::WriterMutexLock lock(&mu_);
  if (revoked_.empty()) revoked_ = std::move(why);
  if (watch_ != nullptr) watch_->Revoked();
}

void GroupTable::Apply(const v1::ClusterMap& map, bool whole) {
  std::vector<PgId> changed;
  {
    absl::WriterMutexLock lock(&mu_);
    for (const v1::Pool& pool : map.pools()) min_active_[PoolId(pool.id())] = pool.min_active();
    bool moved = false;
    for (const v1::ServerAddress& server : map.servers()) {
      ServerLocation& known = servers_[ServerId(server.server())];
      const Incarnation incarnation(server.incarnation());
      moved = moved || known.incarnation != incarnation;
      // A map may be overtaken by a newer one.
      const uint64_t order = std::max(known.scrub_order, server.scrub_order());
      known = {ServerId(server.server()), server.frames(), incarnation, order};
    }
    for (const v1::PlacementGroup& row : map.groups()) {
      GroupPtr& known = groups_[PgId(row.id())];
      if (known != nullptr && !IsNewer(row, *known)) continue;
      known = GroupFromProto(row);
      // Before anyone can hear from here that the epoch is known (rule C1).
      if (watch_ != nullptr) watch_->GroupChanged(known->id);
      changed.push_back(known->id);
    }
    if (map.has_settings()) settings_ = map.settings();
    if (whole) {
      map_version_ = std::max(map_version_, map.version());
      ++refreshes_;
    }
    // A server that came back may be one that catch-up is waiting for.
    if (moved) {
      changed.clear();
      for (const auto& [id, group] : groups_) changed.push_back(id);
      std::sort(changed.begin(), changed.end());
    }
  }
  if (!changed.empty() && observer_) observer_(changed);
}

uint64_t GroupTable::map_version() const {
  absl::ReaderMutexLock lock(&mu_);
  return map_version_;
}

uint64_t GroupTable::refreshes() const {
  absl::ReaderMutexLock lock(&mu_);
  return refreshes_;
}

Standing GroupTable::StandingOf(const GroupPtr& group) const {
  Standing standing;
  standing.group = group;
  if (const auto pool = min_active_.find(group->pool); pool != min_active_.end()) {
    standing.min_active = pool->second;
  }
  for (const GroupMember& member : group->members) {
    if (member.server != self_ || member.leaving) continue;
    if (!member.active) {
      standing.role = OwnRole::kSyncing;
    } else if (member.incarnation == incarnation_) {
      standing.role = group->primary() == self_ ? OwnRole::kPrimary : OwnRole::kActive;
    }
  }
  return standing;
}

Status GroupTable::LeaseStatus() const {
  if (ReplicationBugIs(ReplicationBug::kLeaseNeverEnds)) return OkStatus();
  if (!revoked_.empty()) {
    return Status::Error(ErrorCode::kUnavailable, "server {} serves nothing: {}", self_, revoked_);
  }
  if (clock_.Now() >= lease_until_) {
    return Status::Error(ErrorCode::kUnavailable, "the lease of server {} has run out", self_);
  }
  return OkStatus();
}

Result<Standing> GroupTable::Stand(PgId group, Epoch epoch) const {
  bool behind = false;
  {
    absl::ReaderMutexLock lock(&mu_);
    RETURN_IF_ERROR(LeaseStatus());
    const auto found = groups_.find(group);
    const bool known = found != groups_.end();
    if (known && found->second->epoch == epoch) return StandingOf(found->second);
    behind = !known || found->second->epoch < epoch;
  }
  if (behind) WantRefresh();
  return Fail(ErrorCode::kStaleEpoch, "group {} epoch {}: {}", group, epoch,
              behind ? "not known here yet" : "it has moved on");
}

Standing GroupTable::Current(PgId group) const {
  absl::ReaderMutexLock lock(&mu_);
  const auto found = groups_.find(group);
  return found == groups_.end() ? Standing{} : StandingOf(found->second);
}

Status GroupTable::CheckLease() const {
  absl::ReaderMutexLock lock(&mu_);
  return LeaseStatus();
}

std::optional<ServerLocation> GroupTable::Locate(ServerId server) const {
  absl::ReaderMutexLock lock(&mu_);
  const auto found = servers_.find(server);
  if (found == servers_.end()) return std::nullopt;
  return found->second;
}

std::vector<ServerLocation> GroupTable::Servers() const {
  absl::ReaderMutexLock lock(&mu_);
  std::vector<ServerLocation> locations;
  for (const auto& [id, location] : servers_) locations.push_back(location);
  return locations;
}

std::vector<PgId> GroupTable::GroupsWhere(bool (*wanted)(OwnRole)) const {
  absl::ReaderMutexLock lock(&mu_);
  std::vector<PgId> found;
  for (const auto& [id, group] : groups_) {
    if (wanted(StandingOf(group).role)) found.push_back(id);
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<PgId> GroupTable::Led() const {
  return GroupsWhere([](OwnRole role) { return role == OwnRole::kPrimary; });
}

std::vector<PgId> GroupTable::Kept() const {
  return GroupsWhere(
      [](OwnRole role) { return role == OwnRole::kPrimary || role == OwnRole::kActive; });
}

v1::Settings GroupTable::settings() const {
  absl::ReaderMutexLock lock(&mu_);
  return settings_;
}

void GroupTable::OnChange(std::function<void(const std::vector<PgId>&)> observer) {
  observer_ = std::move(observer);
}

void GroupTable::OnWantRefresh(std::function<void()> refresh) {
  refresh_ = std::move(refresh);
}

void GroupTable::WantRefresh() const {
  if (refresh_) refresh_();
}

}  // namespace cairn
