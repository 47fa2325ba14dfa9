#include "client/cluster_map.h"

#include <algorithm>

#include "client/backoff.h"
#include "common/hash.h"

namespace cairn::client {

namespace {

struct GroupRange {
  uint32_t first = 0;
  uint32_t count = 0;
};

GroupRange GroupsOf(const v1::Pool& pool, uint32_t generation) {
  if (generation == pool.generation()) return {pool.first_group(), pool.group_count()};
  for (const v1::PoolGeneration& earlier : pool.earlier()) {
    if (earlier.generation() == generation) return {earlier.first_group(), earlier.group_count()};
  }
  return {};
}

}  // namespace

Result<PgId> GroupOf(const v1::Layout& layout, const v1::Pool& pool, uint32_t index) {
  const GroupRange groups = GroupsOf(pool, layout.generation());
  if (groups.count == 0) {
    return Fail(ErrorCode::kUnavailable, "generation {} of pool {} is not in the map",
                layout.generation(), layout.pool());
  }
  const uint64_t spread = MixBits(layout.seed()) + index;
  return PgId(groups.first + static_cast<uint32_t>(spread % groups.count));
}

Result<Route> ClusterMapCache::Get(const v1::Layout& layout, uint32_t index) const {
  absl::MutexLock lock(&mu_);
  auto pool = pools_.find(layout.pool());
  if (pool == pools_.end()) {
    return Fail(ErrorCode::kUnavailable, "pool {} is not in the map", layout.pool());
  }
  ASSIGN_OR_RETURN(const PgId id, GroupOf(layout, pool->second, index));
  auto group = groups_.find(id.value);
  if (group == groups_.end()) {
    return Fail(ErrorCode::kUnavailable, "placement group {} is not in the map", id);
  }
  if (group->second.lost()) {
    return Fail(ErrorCode::kIoError, "placement group {} was given up: its copies are lost", id);
  }
  const auto& members = group->second.members();
  auto primary = std::find_if(members.begin(), members.end(), [](const v1::Member& member) {
    return member.state() == v1::MEMBER_ACTIVE;
  });
  if (primary == members.end()) {
    return Fail(ErrorCode::kUnavailable, "no member of placement group {} is active", id);
  }
  auto server = servers_.find(primary->server());
  if (server == servers_.end()) {
    return Fail(ErrorCode::kUnavailable, "server {} is not in the map", primary->server());
  }
  return Route{id, Epoch(group->second.epoch()), ServerId(primary->server()), server->second};
}

// A map has the rows of all pools, also of those that were asked for by nobody and have no groups.
bool ClusterMapCache::Knows(const v1::Layout& layout) const {
  auto pool = pools_.find(layout.pool());
  return pool != pools_.end() && GroupsOf(pool->second, layout.generation()).count > 0;
}

Result<Route> ClusterMapCache::Locate(const v1::Layout& layout, uint32_t index,
                                      Deadline deadline) {
  bool known = false;
  {
    absl::MutexLock lock(&mu_);
    known = Knows(layout);
  }
  if (!known) {
    RETURN_IF_ERROR(Refresh(SystemClock().Now(), layout, deadline));
  }
  return Get(layout, index);
}

Status ClusterMapCache::Refresh(BootTime moment, const v1::Layout& layout, Deadline deadline) {
  v1::FetchMapRequest request;
  request.set_pool(layout.pool());
  BootTime sent;
  {
    absl::MutexLock lock(&mu_);
    auto free = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) { return !fetching_; };
    if (!AwaitUntil(mu_, free, deadline)) {
      return Status::Error(ErrorCode::kDeadlineExceeded, "the cluster map was not answered");
    }
    if (fresh_at_ >= moment && Knows(layout)) return OkStatus();
    fetching_ = true;
    sent = SystemClock().Now();
    request.set_since(pools_.contains(layout.pool()) ? version_ : 0);
  }
  auto map = metadata_->Query<v1::ClusterMap>(v1::METADATA_FETCH_MAP, request, deadline);
  if (map.has_value()) Apply(*map);
  absl::MutexLock lock(&mu_);
  fetching_ = false;
  if (map.has_value()) fresh_at_ = sent;
  return internal::StatusOf(map);
}

void ClusterMapCache::Apply(const v1::ClusterMap& map) {
  std::vector<std::pair<uint32_t, Address>> addresses;
  for (const v1::ServerAddress& server : map.servers()) {
    addresses.emplace_back(server.server(), ChooseAddress(server.frames(), allow_unix_));
  }
  absl::MutexLock lock(&mu_);
  for (const v1::Pool& pool : map.pools()) pools_[pool.id()] = pool;
  for (const v1::PlacementGroup& group : map.groups()) {
    v1::PlacementGroup& known = groups_[group.id()];
    if (group.epoch() >= known.epoch()) known = group;
  }
  for (auto& [server, address] : addresses) servers_[server] = std::move(address);
  version_ = std::max(version_, map.version());
}

}  // namespace cairn::client
