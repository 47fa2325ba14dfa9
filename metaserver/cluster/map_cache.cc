#include "metaserver/cluster/map_cache.h"

#include "metaserver/store/scan_rows.h"
#include "metaserver/store/schema.h"

namespace cairn {
namespace {

template <typename Key, typename Row>
Status LoadAll(const ReadView& view, std::string_view prefix, std::map<Key, Row>& rows) {
  return ScanRows<Row>(view, prefix, prefix, [&](std::string_view, Row row) {
    const Key key(row.id());
    rows.emplace(key, std::move(row));
    return true;
  });
}

Result<std::shared_ptr<const MapSnapshot>> LoadMap(const ReadView& view) {
  auto map = std::make_shared<MapSnapshot>();
  ASSIGN_OR_RETURN(const auto state, LoadRow<v1::StateRecord>(view, schema::StateKey()));
  if (state) {
    map->cluster_id = state->cluster_id();
    map->version = state->map_version();
  }
  RETURN_IF_ERROR(LoadAll(view, schema::kPoolPrefix, map->pools));
  RETURN_IF_ERROR(LoadAll(view, schema::kGroupPrefix, map->groups));
  RETURN_IF_ERROR(LoadAll(view, schema::kServerPrefix, map->servers));
  ASSIGN_OR_RETURN(const auto settings, LoadRow<v1::Settings>(view, schema::SettingsKey()));
  if (settings) map->settings = *settings;
  return map;
}

template <typename Map, typename Key>
auto* FindIn(const Map& map, Key key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

}  // namespace

v1::ClusterMap MapSnapshot::ChangesSince(uint64_t since) const {
  v1::ClusterMap changes;
  changes.set_version(version);
  if (since == version) return changes;
  const bool foreign = since > version;  // not from this history: it gets everything
  *changes.mutable_settings() = settings;
  for (const auto& [id, pool] : pools) *changes.add_pools() = pool;
  for (const auto& [id, group] : groups) {
    if (foreign || group.changed_at() > since) *changes.add_groups() = group;
  }
  for (const auto& [id, record] : servers) *changes.add_servers() = AddressOf(record);
  return changes;
}

v1::ServerAddress MapSnapshot::AddressOf(const v1::ServerRecord& record) {
  v1::ServerAddress address;
  address.set_server(record.id());
  *address.mutable_frames() = record.frames();
  address.set_incarnation(record.incarnation());
  address.set_scrub_order(record.scrub_order());
  return address;
}

const v1::PlacementGroup* MapSnapshot::FindGroup(PgId id) const {
  return FindIn(groups, id);
}

const v1::ServerRecord* MapSnapshot::FindServer(ServerId id) const {
  return FindIn(servers, id);
}

const v1::Pool* MapSnapshot::FindPool(PoolId id) const {
  if (id.value == 0) return pools.empty() ? nullptr : &pools.begin()->second;
  return FindIn(pools, id);
}

uint32_t MapSnapshot::CopiesOf(const v1::PlacementGroup& group) const {
  const v1::Pool* pool = FindPool(PoolId(group.pool()));
  return pool == nullptr ? 0 : pool->copies();
}

Result<std::shared_ptr<const MapSnapshot>> MapCache::Get() {
  absl::MutexLock lock(&mu_);
  const uint64_t wanted = changes_.load();
  if (loaded_ != wanted) {
    const std::unique_ptr<ReadView> view = state_.View();
    ASSIGN_OR_RETURN(snapshot_, LoadMap(*view));
    loaded_ = wanted;
  }
  return snapshot_;
}

}  // namespace cairn
