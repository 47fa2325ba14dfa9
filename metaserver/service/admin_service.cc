#include "metaserver/service/admin_service.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "cairn/v1/methods.pb.h"
#include "common/logging.h"
#include "metaserver/cluster/health.h"
#include "metaserver/cluster/outcome.h"
#include "metaserver/cluster/where.h"
#include "metaserver/placement/chunkserver_of.h"
#include "metaserver/service/cluster_birth.h"
#include "metaserver/store/scan_rows.h"
#include "metaserver/store/schema.h"

namespace cairn {
namespace {

constexpr char kVersion[] = "0.1.0";
constexpr int kMaxSessionsListed = 10000;

class AdminService {
 public:
  explicit AdminService(AdminServiceParts parts) : parts_(std::move(parts)) {}

  Result<v1::GetStatusResponse> GetStatus();
  Result<v1::GetHealthResponse> GetHealth();
  Result<v1::WhereResponse> Where(const v1::WhereRequest& request);
  Status SetFaults(const v1::SetFaultsRequest& request);
  void SetPool(const v1::SetPoolRequest& request, std::function<void(Status)> done);
  void Found(const v1::FoundClusterRequest& request, std::function<void(Status)> done) {
    FoundCluster({parts_.state, parts_.maps, parts_.directory,
                  [group = parts_.group] { return group->membership(); }},
                 request, std::move(done));
  }

 private:
  static void CountGroups(const MapSnapshot& map, const ServersHealth& servers,
                          v1::GetStatusResponse& response);
  static void AddChunkservers(const MapSnapshot& map, const ServersHealth& servers,
                              v1::GetStatusResponse& response);
  Status AddRows(const ReadView& view, v1::GetStatusResponse& response);

  AdminServiceParts parts_;
};

void AdminService::CountGroups(const MapSnapshot& map, const ServersHealth& servers,
                               v1::GetStatusResponse& response) {
  uint32_t full = 0;
  uint32_t reduced = 0;
  uint32_t unavailable = 0;
  for (const auto& [id, group] : map.groups) {
    switch (ConditionOf(group, map.CopiesOf(group), servers)) {
      case GroupCondition::kFull:
        ++full;
        break;
      case GroupCondition::kReduced:
        ++reduced;
        break;
      case GroupCondition::kUnavailable:
        ++unavailable;
        break;
    }
  }
  response.set_groups(static_cast<uint32_t>(map.groups.size()));
  response.set_full_groups(full);
  response.set_reduced_groups(reduced);
  response.set_unavailable_groups(unavailable);
}

void AdminService::AddChunkservers(const MapSnapshot& map, const ServersHealth& servers,
                                   v1::GetStatusResponse& response) {
  std::map<uint32_t, std::pair<uint32_t, uint32_t>> memberships;  // active, syncing
  std::map<uint32_t, uint32_t> primaries;
  for (const auto& [id, group] : map.groups) {
    if (group.lost()) continue;  // what is left of it serves nobody
    for (const v1::Member& member : group.members()) {
      auto& [active, syncing] = memberships[member.server()];
      ++(member.state() == v1::MEMBER_ACTIVE ? active : syncing);
    }
    if (const v1::Member* primary = PrimaryOf(group)) ++primaries[primary->server()];
  }
  for (const auto& [id, record] : map.servers) {
    const ServerHealth& health = servers.at(id);
    v1::ChunkserverStatus& status = *response.add_chunkservers();
    status.set_server(id.value);
    status.set_host(record.host());
    *status.mutable_frames() = record.frames();
    status.set_up(health.view.presence == ServerView::Presence::kAlive);
    status.set_silent_ms(static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(health.silence).count()));
    status.set_total_bytes(health.counters.total_bytes);
    status.set_available_bytes(health.counters.available_bytes);
    status.set_checksum_errors(health.counters.checksum_errors);
    status.set_adopted_blocks(health.counters.adopted_blocks);
    status.set_active_groups(memberships[id.value].first);
    status.set_syncing_groups(memberships[id.value].second);
    status.set_primary_groups(primaries[id.value]);
    status.set_state(record.state());
    *status.mutable_maintenance_until() = record.maintenance_until();
    status.set_rack(record.rack());
    status.set_chunkserver(ChunkserverOf(record).value);
    status.set_disk_uuid(record.disk_uuid());
    *status.mutable_scrub() = health.counters.scrub;
    status.set_damaged_chunks(static_cast<uint32_t>(health.counters.damaged.size()));
  }
}

Status AdminService::AddRows(const ReadView& view, v1::GetStatusResponse& response) {
  ASSIGN_OR_RETURN(const auto state, LoadRow<v1::StateRecord>(view, schema::StateKey()));
  if (!state) return OkStatus();
  response.set_inodes(state->inode_count());
  response.set_file_bytes(state->file_bytes());
  response.mutable_metaserver()->set_term(state->applied_term());
  response.mutable_metaserver()->set_applied_index(state->applied_index());
  ASSIGN_OR_RETURN(const auto repair, LoadRow<v1::RepairRecord>(view, schema::RepairKey()));
  if (repair) *response.mutable_repair() = *repair;
  return ScanRows<v1::SessionRecord>(
      view, schema::kSessionPrefix, schema::kSessionPrefix,
      [&](std::string_view, const v1::SessionRecord& record) {
        v1::SessionStatus& session = *response.add_sessions();
        session.set_session(record.id());
        session.set_host(record.host());
        session.set_mount_point(record.mount_point());
        if (parts_.open_files) session.set_open_files(parts_.open_files(SessionId(record.id())));
        return response.sessions_size() < kMaxSessionsListed;
      });
}

Result<v1::GetStatusResponse> AdminService::GetStatus() {
  ASSIGN_OR_RETURN(const std::shared_ptr<const MapSnapshot> map, parts_.maps->Get());
  v1::GetStatusResponse response;
  response.set_cluster_id(map->cluster_id);
  response.set_version(kVersion);
  response.set_map_version(map->version);
  const v1::ListMetaserversResponse group = parts_.group->List();
  v1::MetaserverStatus& metaserver = *response.mutable_metaserver();
  metaserver.set_server(group.server());
  metaserver.set_role(parts_.state->IsBorn() ? group.role() : "unborn");
  metaserver.set_leader(group.leader());
  metaserver.set_leader_silent_ms(group.leader_silent_ms());
  for (const auto& [id, pool] : map->pools) *response.add_pools() = pool;
  // Chunkservers speak to the leader alone: nobody else knows how they are.
  if (parts_.state->Serves()) {
    const ServersHealth servers = LookAtServers(*map, *parts_.registry);
    AddChunkservers(*map, servers, response);
    CountGroups(*map, servers, response);
  }
  RETURN_IF_ERROR(AddRows(*parts_.state->View(), response));
  return response;
}

Result<v1::GetHealthResponse> AdminService::GetHealth() {
  ASSIGN_OR_RETURN(const std::shared_ptr<const MapSnapshot> map, parts_.maps->Get());
  v1::GetHealthResponse response;
  if (!parts_.state->Serves()) return response;  // chunkservers speak to the leader alone
  const ClusterShape shape = LookAtShape(*map, *parts_.registry, parts_.clock->WallNow());
  for (v1::HealthItem& item : DiagnoseCluster(*map, LookAtServers(*map, *parts_.registry), shape)) {
    *response.add_items() = std::move(item);
  }
  return response;
}

Result<v1::WhereResponse> AdminService::Where(const v1::WhereRequest& request) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const MapSnapshot> map, parts_.maps->Get());
  return FindWhere(request, *parts_.state->View(), *map);
}

Status AdminService::SetFaults(const v1::SetFaultsRequest& request) {
  if (parts_.faults == nullptr) {
    return Status(ErrorCode::kUnimplemented, "this build takes no fault plan");
  }
  ASSIGN_OR_RETURN(std::vector<FaultRule> rules, ParseFaultRules(request.rules()));
  LOG_WARN("fault plan set rules={}", rules.size());
  parts_.faults->Set(std::move(rules));
  return OkStatus();
}

void AdminService::SetPool(const v1::SetPoolRequest& request, std::function<void(Status)> done) {
  const auto map = parts_.maps->Get();
  if (!map.has_value()) return done(map.error());
  const v1::Pool* pool = (*map)->FindPool(PoolId(request.pool()));
  if (pool == nullptr) {
    return done(Status::Error(ErrorCode::kNotFound, "there is no pool {}", request.pool()));
  }
  if (request.min_active() < 1 || request.min_active() > pool->copies()) {
    return done(Status::Error(ErrorCode::kInvalidArgument, "min_active is 1 to {}, not {}",
                              pool->copies(), request.min_active()));
  }
  v1::Command command;
  command.mutable_set_pool()->set_pool(pool->id());
  command.mutable_set_pool()->set_min_active(request.min_active());
  parts_.state->Propose(std::move(command),
                        [this, done = std::move(done)](Result<v1::Outcome> outcome) {
                          parts_.maps->Invalidate();
                          done(StatusOfOutcome(outcome));
                        });
}

// The answer to a call whose response is empty.
template <typename CallType, typename Response>
void Answer(const CallType& call, const Status& status) {
  status.ok() ? call.Reply(Response()) : call.Fail(status);
}

void RegisterReads(Dispatcher& dispatcher, const std::shared_ptr<AdminService>& service) {
  dispatcher.Handle<v1::GetStatusRequest, v1::GetStatusResponse>(
      v1::ADMIN_GET_STATUS, [service](auto call) { call.Finish(service->GetStatus()); });
  dispatcher.Handle<v1::GetHealthRequest, v1::GetHealthResponse>(
      v1::ADMIN_GET_HEALTH, [service](auto call) { call.Finish(service->GetHealth()); });
  dispatcher.Handle<v1::WhereRequest, v1::WhereResponse>(
      v1::ADMIN_WHERE, [service](auto call) { call.Finish(service->Where(call.request())); });
}

void RegisterChanges(Dispatcher& dispatcher, const std::shared_ptr<AdminService>& service) {
  dispatcher.Handle<v1::FoundClusterRequest, v1::FoundClusterResponse>(
      v1::ADMIN_FOUND_CLUSTER, [service](auto call) {
        service->Found(call.request(), [call](const Status& status) {
          Answer<decltype(call), v1::FoundClusterResponse>(call, status);
        });
      });
  dispatcher.Handle<v1::SetPoolRequest, v1::SetPoolResponse>(
      v1::ADMIN_SET_POOL, [service](auto call) {
        service->SetPool(call.request(), [call](const Status& status) {
          Answer<decltype(call), v1::SetPoolResponse>(call, status);
        });
      });
  dispatcher.Handle<v1::SetFaultsRequest, v1::SetFaultsResponse>(
      v1::ADMIN_SET_FAULTS, [service](auto call) {
        Answer<decltype(call), v1::SetFaultsResponse>(call, service->SetFaults(call.request()));
      });
}

void RegisterGroup(Dispatcher& dispatcher, MetaserverGroup& group) {
  dispatcher.Handle<v1::AdoptMetaserverRequest, v1::AdoptMetaserverResponse>(
      v1::ADMIN_ADOPT_METASERVER, [&group](auto call) {
        Answer<decltype(call), v1::AdoptMetaserverResponse>(call, group.Adopt(call.request()));
      });
  dispatcher.Handle<v1::ListMetaserversRequest, v1::ListMetaserversResponse>(
      v1::ADMIN_LIST_METASERVERS, [&group](auto call) { call.Reply(group.List()); });
  dispatcher.Handle<v1::FindLeaderRequest, v1::FindLeaderResponse>(
      v1::METADATA_FIND_LEADER, [&group](auto call) { call.Reply(group.FindLeader()); });
  dispatcher.Handle<v1::AddMetaserverRequest, v1::AddMetaserverResponse>(
      v1::ADMIN_ADD_METASERVER, [&group](auto call) {
        group.Add(call.request(), [call](const auto& result) { call.Finish(result); });
      });
  dispatcher.Handle<v1::RemoveMetaserverRequest, v1::RemoveMetaserverResponse>(
      v1::ADMIN_REMOVE_METASERVER,
      [&group](auto call) { call.Finish(group.Remove(call.request())); });
  dispatcher.Handle<v1::TransferLeaderRequest, v1::TransferLeaderResponse>(
      v1::ADMIN_TRANSFER_LEADER, [&group](auto call) {
        Answer<decltype(call), v1::TransferLeaderResponse>(call,
                                                           group.TransferLeader(call.request()));
      });
  dispatcher.Handle<v1::GetStateHashRequest, v1::GetStateHashResponse>(
      v1::ADMIN_GET_STATE_HASH, [&group](auto call) {
        group.GetStateHash(call.request(), [call](const auto& result) { call.Finish(result); });
      });
}

}  // namespace

void RegisterAdminService(Dispatcher& dispatcher, AdminServiceParts parts) {
  RegisterGroup(dispatcher, *parts.group);
  const auto service = std::make_shared<AdminService>(std::move(parts));
  RegisterReads(dispatcher, service);
  RegisterChanges(dispatcher, service);
}

}  // namespace cairn
