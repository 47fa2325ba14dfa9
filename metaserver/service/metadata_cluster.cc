#include "metaserver/service/metadata_service.h"

#include <algorithm>

#include "metaserver/store/rows.h"

namespace cairn {

namespace {

template <typename Row>
Status ForEachRow(const ReadView& view, std::string_view prefix,
                  const std::function<void(Row& row)>& visit) {
  Status parsed;
  RETURN_IF_ERROR(view.Scan(prefix, prefix, [&](std::string_view key, std::string_view value) {
    Row row;
    parsed = ParseRow(key, value, row);
    if (parsed.ok()) visit(row);
    return parsed.ok();
  }));
  return parsed;
}

Result<v1::ClusterMap> MapSince(const ReadView& view, uint64_t since) {
  v1::ClusterMap map;
  ASSIGN_OR_RETURN(const v1::StateRecord state, LoadState(view));
  map.set_version(state.map_version());
  RETURN_IF_ERROR(ForEachRow<v1::Pool>(view, schema::kPoolPrefix,
                                       [&](v1::Pool& pool) { map.add_pools()->Swap(&pool); }));
  RETURN_IF_ERROR(
      ForEachRow<v1::PlacementGroup>(view, schema::kGroupPrefix, [&](v1::PlacementGroup& group) {
        if (group.changed_at() > since) map.add_groups()->Swap(&group);
      }));
  RETURN_IF_ERROR(
      ForEachRow<v1::ServerRecord>(view, schema::kServerPrefix, [&](v1::ServerRecord& server) {
        v1::ServerAddress& address = *map.add_servers();
        address.set_server(server.id());
        address.mutable_frames()->Swap(server.mutable_frames());
        address.set_incarnation(server.incarnation());
      }));
  return map;
}

bool HasGroups(const v1::ClusterMap& map, uint32_t pool) {
  return std::any_of(map.pools().begin(), map.pools().end(), [&](const v1::Pool& candidate) {
    return candidate.id() == pool && (candidate.group_count() > 0 || candidate.earlier_size() > 0);
  });
}

}  // namespace

void MetadataService::FetchMap(Call<v1::FetchMapRequest, v1::ClusterMap> call) {
  if (call.request().pool() == 0) {
    return call.Finish(MapSince(*state_.View(), call.request().since()));
  }
  groups_.Ensure(PoolId(call.request().pool()), [this, call](const Status& status) {
    Result<v1::ClusterMap> map = MapSince(*state_.View(), call.request().since());
    // New groups may need more servers than are left; files of earlier ones are read all the same.
    const bool of_use = map.has_value() && HasGroups(*map, call.request().pool());
    status.ok() || of_use ? call.Finish(std::move(map)) : call.Fail(status);
  });
}

void MetadataService::StatFs(Call<v1::StatFsRequest, v1::StatFsResponse> call) {
  const Result<v1::StateRecord> state = LoadState(*state_.View());
  if (!state) return call.Fail(state.error());
  const Result<ClusterSpace::Space> space = space_.CurrentSpace();
  if (!space) return call.Fail(space.error());
  v1::StatFsResponse response;
  response.set_total_bytes(space->total_bytes);
  response.set_available_bytes(space->available_bytes);
  response.set_inodes(state->inode_count());
  call.Reply(response);
}

}  // namespace cairn
